import { Instance, slowly } from '../../../test/support/guarded-store.js';
import { settle } from '../../../test/support/wait.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock, MemoryStore } from '../../testing/index.js';
import type { AnyPlace } from './any-bulkhead.js';
import type { BulkheadFullError } from './bulkhead-full-error.js';
import { SharedBulkhead } from './shared-bulkhead.js';

interface Given {
  readonly count?: number;
  readonly maxConcurrent?: number;
  readonly maxQueue?: number;
  readonly maxWait?: number;
  readonly answersAfter?: number;
  /** Whether messages of the store are lost. Default: false. */
  readonly deaf?: boolean;
}

/** Bulkheads of one name in several instances, which share a store. */
class Fleet {
  readonly clock = new ManualClock();
  readonly memory = new MemoryStore({ clock: this.clock });
  readonly events = new ResilienceEvents();
  readonly emitted: ResilienceEvent[] = [];
  readonly instances: Instance[];
  readonly bulkheads: SharedBulkhead[];
  /** The fate of the calls, in that order. */
  readonly log: string[] = [];

  constructor({
    count = 1,
    maxConcurrent = 2,
    maxQueue = 0,
    maxWait,
    answersAfter = 0,
    deaf = false,
  }: Given = {}) {
    const { clock, memory, events } = this;
    events.subscribe((event) => void this.emitted.push(event));
    const store = answersAfter > 0 ? slowly(memory, clock, answersAfter) : memory;
    this.instances = Array.from({ length: count }, (_, n) => new Instance(store, clock, `${n}`));
    for (const instance of this.instances) instance.living = count;
    const limits = { maxConcurrent, maxQueue, maxWait };
    this.bulkheads = this.instances.map(
      (instance) => new SharedBulkhead('db', limits, { clock, events }, instance.store),
    );
    void memory.subscribe((message) => {
      if (deaf || message.type !== 'place') return;
      for (const instance of this.instances) instance.store.placeFreed(message.name);
    });
  }

  /** Begins a call. */
  begin(name: string, n = 0): AnyPlace | undefined {
    try {
      const place = this.bulkheads[n]!.take(this.clock.now());
      if (typeof place === 'number') {
        this.log.push(`${name} runs`);
        return place;
      }
      place.ready.then(
        () => this.log.push(`${name} runs`),
        ({ reason }: BulkheadFullError) => this.log.push(`${name}: ${reason}`),
      );
      return place;
    } catch (error) {
      this.log.push(`${name}: ${(error as BulkheadFullError).reason}`);
      return undefined;
    }
  }

  end(place: AnyPlace | undefined, n = 0): void {
    this.bulkheads[n]!.giveBack(place!, this.clock.now());
  }

  numbers(n = 0): [running: number, waiting: number, rejected: number] {
    const { running, waiting, rejected } = this.bulkheads[n]!.snapshot();
    return [running, waiting, rejected];
  }
}

describe('places for all instances', () => {
  it('are limited in number over all of them', async () => {
    const fleet = new Fleet({ count: 3, maxConcurrent: 2 });
    const a = fleet.begin('a', 0);
    fleet.begin('b', 1);
    fleet.begin('c', 2);
    await settle();
    expect(fleet.log).toEqual(['a runs', 'b runs', 'c: full']);
    expect(fleet.numbers(2)).toEqual([0, 0, 1]);
    fleet.end(a, 0);
    await settle();
    fleet.begin('d', 2);
    await settle();
    expect(fleet.log.at(-1)).toBe('d runs');
    expect(fleet.emitted).toEqual([
      expect.objectContaining({ type: 'rejected', name: 'db', code: 'BULKHEAD_FULL' }),
    ]);
  });

  it('go to waiting calls, of other instances too, as soon as they are free', async () => {
    const fleet = new Fleet({ count: 2, maxConcurrent: 1, maxQueue: 2 });
    const a = fleet.begin('a', 0);
    await settle();
    const b = fleet.begin('b', 1);
    const c = fleet.begin('c', 1);
    await settle();
    expect(fleet.numbers(1)).toEqual([0, 2, 0]);
    fleet.begin('d', 1);
    await settle();
    fleet.end(a, 0);
    await settle();
    fleet.end(b, 1);
    await settle();
    expect(fleet.log).toEqual(['a runs', 'd: full', 'b runs', 'c runs']);
    fleet.end(c, 1);
    await settle();
    expect([0, 1].map((n) => fleet.bulkheads[n]!.idle)).toEqual([true, true]);
    expect(fleet.clock.pending).toBe(0);
    expect(fleet.emitted.filter(({ type }) => type === 'queued')).toHaveLength(2);
  });

  it('are requested again when no message arrives', async () => {
    const fleet = new Fleet({ maxConcurrent: 1, maxQueue: 1 });
    await fleet.memory.places('db', {
      type: 'acquire',
      token: 'somebody',
      instanceId: 'x',
      limit: 1,
      leaseMs: 600,
    });
    fleet.begin('a');
    await fleet.clock.advance(599);
    expect(fleet.log).toEqual([]);
    await fleet.clock.advance(251);
    expect(fleet.log).toEqual(['a runs']);
  });

  it('go to waiting calls of the same instance even without a message', async () => {
    const fleet = new Fleet({ maxConcurrent: 1, maxQueue: 1, deaf: true });
    const a = fleet.begin('a');
    await settle();
    fleet.begin('b');
    await settle();
    fleet.end(a);
    await settle();
    expect(fleet.log).toEqual(['a runs', 'b runs']);
  });

  it('do not go to a newcomer before waiting calls', async () => {
    const fleet = new Fleet({ count: 2, maxConcurrent: 1, maxQueue: 2, deaf: true });
    const a = fleet.begin('a', 0);
    await settle();
    fleet.begin('first', 1);
    await settle();
    fleet.end(a, 0);
    await settle();
    fleet.begin('newcomer', 1);
    await fleet.clock.advance(250);
    expect(fleet.log).toEqual(['a runs', 'first runs']);
  });

  it('are held while their calls run, and become free when an instance dies', async () => {
    const fleet = new Fleet({ count: 2, maxConcurrent: 2, maxQueue: 1 });
    fleet.begin('long', 0);
    fleet.begin('dead', 1);
    await settle();
    await fleet.clock.advance(60_000);
    fleet.bulkheads[1]!.close(); // as if the process had been killed: its lease is not renewed
    fleet.begin('next', 0);
    await settle();
    expect(fleet.numbers(0)).toEqual([1, 1, 0]);
    await fleet.clock.advance(15_000);
    expect(fleet.log).toEqual(['long runs', 'dead runs', 'next runs']);
  });

  it('are taken again when the store has lost them', async () => {
    const fleet = new Fleet({ count: 2, maxConcurrent: 1 });
    const long = fleet.begin('long', 0);
    await settle();
    fleet.memory.forget();
    await fleet.clock.advance(5_000);
    fleet.begin('other', 1);
    await settle();
    expect(fleet.log).toEqual(['long runs', 'other: full']);
    fleet.end(long, 0);
    await settle();
    fleet.begin('another', 1);
    await settle();
    expect(fleet.log.at(-1)).toBe('another runs');
  });

  it('are given back when their calls end before they are told', async () => {
    const fleet = new Fleet({ count: 2, maxConcurrent: 1, answersAfter: 20 });
    fleet.end(fleet.begin('gone', 0), 0);
    await fleet.clock.advance(100);
    fleet.begin('next', 1);
    await fleet.clock.advance(100);
    expect(fleet.log).toEqual(['gone runs', 'next runs']);
  });

  it('are given back when they are granted too late', async () => {
    const fleet = new Fleet({ maxConcurrent: 1, answersAfter: 70 });
    const place = fleet.begin('a');
    await fleet.clock.advance(50);
    expect(fleet.log).toEqual(['a runs']); // by its share
    fleet.end(place);
    await fleet.clock.advance(500);
    expect(
      (await fleet.memory.places('db', { type: 'renew', tokens: ['0:1'], leaseMs: 1 })).inUse,
    ).toBe(0);
  });

  it('are no longer waited for after maxWait, the end of the call, or the close of the application', async () => {
    const fleet = new Fleet({ maxConcurrent: 1, maxQueue: 3, maxWait: 1_000 });
    fleet.begin('a');
    await settle();
    fleet.begin('slow');
    await fleet.clock.advance(500);
    const gone = fleet.begin('gone');
    fleet.begin('last');
    await settle();
    fleet.end(gone);
    expect(fleet.numbers()).toEqual([1, 2, 0]);
    await fleet.clock.advance(500);
    expect(fleet.log).toEqual(['a runs', 'gone runs', 'slow: max-wait']);
    fleet.bulkheads[0]!.close();
    await settle();
    expect(fleet.log.at(-1)).toBe('last: closing');
    expect(fleet.clock.pending).toBe(0);
  });

  it('may be increased while the application runs', async () => {
    const fleet = new Fleet({ maxConcurrent: 1, maxQueue: 1 });
    fleet.begin('a');
    await settle();
    fleet.begin('b');
    await settle();
    fleet.bulkheads[0]!.reconfigure({ maxConcurrent: 2, maxQueue: 1, maxWait: undefined });
    await settle();
    expect(fleet.log).toEqual(['a runs', 'b runs']);
  });
});

describe('while the store is away, places for all instances', () => {
  it('are a share per instance, which includes the places that it holds', async () => {
    const fleet = new Fleet({ count: 2, maxConcurrent: 6 });
    const held = fleet.begin('held');
    await settle();
    fleet.memory.fail('down');
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) {
      fleet.begin(name);
      await settle();
    }
    expect(fleet.log).toEqual(['held runs', 'a runs', 'b runs', 'c: full', 'd: full']);
    fleet.end(held);
    await settle();
    fleet.begin('e');
    await settle();
    expect(fleet.log.at(-1)).toBe('e runs');
    expect(fleet.numbers()).toEqual([3, 0, 2]);
  });

  it('go to waiting calls', async () => {
    const fleet = new Fleet({ count: 2, maxConcurrent: 2, maxQueue: 2 });
    fleet.begin('other', 1);
    fleet.begin('another', 1);
    await settle();
    fleet.begin('a', 0);
    fleet.begin('b', 0);
    await settle();
    fleet.memory.fail('frozen');
    await fleet.clock.advance(400);
    expect(fleet.log).toEqual(['other runs', 'another runs', 'a runs']);
    expect(fleet.numbers(0)).toEqual([1, 1, 0]);
  });

  it('become free for waiting calls when a place of the store is given back', async () => {
    const fleet = new Fleet({ count: 2, maxConcurrent: 4, maxQueue: 1 });
    const held = fleet.begin('held');
    await settle();
    fleet.memory.fail('down');
    for (const name of ['a', 'b']) {
      fleet.begin(name);
      await settle();
    }
    expect([fleet.log, fleet.numbers()]).toEqual([
      ['held runs', 'a runs'],
      [2, 1, 0],
    ]);
    fleet.end(held);
    await settle();
    expect(fleet.log).toEqual(['held runs', 'a runs', 'b runs']);
  });

  it('are at least one', async () => {
    const fleet = new Fleet({ count: 9, maxConcurrent: 2 });
    fleet.memory.fail('down');
    fleet.begin('a', 0);
    fleet.begin('b', 1);
    await settle();
    expect(fleet.log).toEqual(['a runs', 'b runs']);
  });

  it('are those of the store again once it is back', async () => {
    const fleet = new Fleet({ count: 2, maxConcurrent: 2 });
    fleet.memory.fail('down');
    for (const name of ['a', 'b']) {
      fleet.begin(name);
      await settle();
    }
    fleet.memory.recover();
    fleet.instances[0]!.recover();
    fleet.begin('c');
    await settle();
    expect(fleet.log).toEqual(['a runs', 'b: full', 'c runs']);
  });
});
