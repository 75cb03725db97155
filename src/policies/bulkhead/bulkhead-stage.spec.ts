import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { StreamResult } from '../../common/outcomes/stream-result.js';
import { type Begun, Harness, OnExit, down, works } from '../../../test/support/bulkhead-stage.js';
import { type TestCall, type Work } from '../../../test/support/test-call.js';
import { deferred, outcome, settle } from '../../../test/support/wait.js';
import { BulkheadFullError } from './bulkhead-full-error.js';

/** Calls take other paths through the pipeline with a listener, or if they can be interrupted. */
const ways: [string, (harness: Harness, work: Work) => TestCall][] = [
  ['plainly', (harness, work) => harness.call(work)],
  ['with a listener', (harness, work) => harness.listen().call(work)],
  ['interruptibly', (harness, work) => harness.call(work, { interruptible: true })],
];

describe('a call in a bulkhead', () => {
  describe.each(ways)('%s', (_way, callOf) => {
    it.each(works)('holds a place while it runs, and gives it back: %s', async (_how, work) => {
      const harness = new Harness();
      const seen: unknown[] = [];
      const call = callOf(harness, () => {
        seen.push(...harness.counts);
        return work();
      });
      const { value, error } = await outcome(harness.run(call));
      expect(value === 'books' || error === down).toBe(true);
      expect(seen).toEqual([1, 0]);
      expect(harness.counts).toEqual([0, 0]);
    });

    it.each(works)('holds one after a wait too: %s', async (_how, work) => {
      const harness = new Harness({ maxQueue: 1 });
      const before = harness.begin('before');
      const seen: unknown[] = [];
      const call = callOf(harness, () => {
        seen.push(...harness.counts);
        return work();
      });
      const end = outcome(harness.run(call));
      await settle();
      expect(harness.counts).toEqual([1, 1]);
      before.works[0]!.resolve('x');
      const { value, error } = await end;
      expect(value === 'books' || error === down).toBe(true);
      expect(seen).toEqual([1, 0]);
      expect(harness.counts).toEqual([0, 0]);
    });

    it('is rejected at once when it is full, and does not run', async () => {
      const harness = new Harness();
      harness.begin('before');
      const work = jest.fn();
      const { error } = await outcome(harness.run(callOf(harness, work)));
      expect(error).toBeInstanceOf(BulkheadFullError);
      expect(error).toMatchObject({ reason: 'full', policyName: 'storagesvc' });
      expect(work).not.toHaveBeenCalled();
      expect(harness.counts).toEqual([1, 0]);
    });

    it('is rejected when it has waited too long, and does not run', async () => {
      const harness = new Harness({ maxQueue: 1, maxWait: 100 });
      const before = harness.begin('before');
      const work = jest.fn();
      const end = outcome(harness.run(callOf(harness, work)));
      await harness.clock.advance(99);
      expect(harness.counts).toEqual([1, 1]);
      await harness.clock.advance(1);
      expect((await end).error).toMatchObject({ code: 'BULKHEAD_FULL', reason: 'max-wait' });
      expect(harness.counts).toEqual([1, 0]);
      before.works[0]!.resolve('x');
      await settle();
      expect(work).not.toHaveBeenCalled();
      expect(harness.counts).toEqual([0, 0]);
    });

    it('is rejected when it waits and the application closes', async () => {
      const harness = new Harness({ maxQueue: 1 });
      harness.begin('before');
      const work = jest.fn();
      const end = outcome(harness.run(callOf(harness, work)));
      harness.bulkhead.close();
      expect((await end).error).toMatchObject({ code: 'BULKHEAD_FULL', reason: 'closing' });
      expect(work).not.toHaveBeenCalled();
      expect(harness.counts).toEqual([1, 0]);
    });

    it('waits its turn', async () => {
      const harness = new Harness({ maxQueue: 3 });
      const first = harness.begin('first');
      const seen: string[] = [];
      const ends = ['a', 'b', 'c'].map((name) =>
        outcome(harness.run(callOf(harness, () => seen.push(name)))),
      );
      await settle();
      expect(seen).toEqual([]);
      first.works[0]!.resolve('x');
      await Promise.all(ends);
      expect(seen).toEqual(['a', 'b', 'c']);
    });

    it('runs in its own async context, whichever call freed its place', async () => {
      const user = new AsyncLocalStorage<string>();
      const harness = new Harness({ maxQueue: 1, around: () => [new OnExit(look)] });
      const seen: unknown[] = [];
      function look(): void {
        seen.push(user.getStore());
      }
      const gate = deferred();
      const anna = user.run('anna', () => harness.run(callOf(harness, () => gate.promise)));
      const bob = user.run('bob', () => harness.run(callOf(harness, look)));
      user.run('carl', () => gate.resolve());
      await Promise.all([anna, bob]);
      expect(seen).toEqual(['anna', 'bob', 'bob']);
    });
  });

  it('leaves the stages around it like any other call when it is rejected', async () => {
    const exit = jest.fn();
    const harness = new Harness({ around: () => [new OnExit(exit)] });
    harness.begin('before');
    await outcome(harness.run(harness.call(() => 1)));
    expect(exit).toHaveBeenCalledTimes(1);
  });

  it('holds its place from the time at which it gets it, not from its arrival', async () => {
    const harness = new Harness({ maxQueue: 1 });
    const first = harness.begin('first');
    const second = harness.begin('second');
    await harness.clock.advance(1_000);
    first.works[0]!.resolve('x');
    await harness.clock.advance(1_000);
    second.works[0]!.reject(down);
    await settle();
    harness.begin('third');
    harness.begin('fourth');
    const { error } = await harness.begin('fifth').end;
    expect(error).toMatchObject({ retryAfterMs: 2_000 });
  });

  it('reports how long it waited', async () => {
    const harness = new Harness({ maxQueue: 1 }).listen();
    const first = harness.begin('first');
    harness.begin('second');
    await harness.clock.advance(250);
    first.works[0]!.resolve('x');
    await settle();
    expect(harness.emitted.filter(({ type }) => type === 'queued')).toEqual([
      { type: 'queued', name: 'storagesvc', waitedMs: 250 },
    ]);
  });

  it('has its events in its own async context, whichever call causes them', async () => {
    const user = new AsyncLocalStorage<string>();
    const harness = new Harness({ maxQueue: 2, maxWait: 100 });
    const seen: unknown[] = [];
    harness.events.subscribe(({ type }) => {
      if (type === 'queued' || type === 'rejected') seen.push([type, user.getStore()]);
    });
    const first = user.run('anna', () => harness.begin('first'));
    user.run('bob', () => harness.begin('second'));
    user.run('carl', () => first.works[0]!.resolve('x'));
    await settle();
    user.run('dora', () => harness.begin('third'));
    await user.run('whoever moves the clock', () => harness.clock.advance(100));
    user.run('emil', () => harness.begin('fourth'));
    user.run('whoever closes', () => harness.bulkhead.close());
    user.run('fred', () => harness.begin('fifth'));
    await settle();
    expect(seen).toEqual([
      ['queued', 'bob'],
      ['rejected', 'dora'],
      ['rejected', 'emil'],
      ['rejected', 'fred'],
    ]);
  });

  it('does not count its wait as time of its work', async () => {
    const harness = new Harness({ maxQueue: 1 }).listen();
    const first = harness.begin('first');
    const second = harness.begin('second');
    await harness.clock.advance(250);
    first.works[0]!.resolve('x');
    await harness.clock.advance(100);
    second.works[0]!.resolve('x');
    await settle();
    expect(harness.emitted.filter(({ type }) => type === 'attempt')).toMatchObject([
      { durationMs: 250 },
      { durationMs: 100 },
    ]);
  });
});

describe('a place that becomes free', () => {
  it('goes to a waiting call, not to a newcomer at that very moment', async () => {
    const newcomers: Begun[] = [];
    const harness = new Harness({
      maxQueue: 1,
      around: () => [
        new OnExit(() => {
          // `first` has given its place back, and `second` has not been told yet
          if (newcomers.length < 2) newcomers.push(harness.begin(`newcomer ${newcomers.length}`));
        }),
      ],
    });
    const first = harness.begin('first');
    const second = harness.begin('second');
    first.works[0]!.resolve('x');
    await first.end;
    await settle();
    expect(harness.started).toEqual(['first', 'second']);
    expect(harness.counts).toEqual([1, 1]);
    second.works[0]!.resolve('x');
    await second.end;
    await settle();
    expect(harness.started).toEqual(['first', 'second', 'newcomer 0']);
  });

  /** Where `name` is, the first of the `before` who waited. */
  const whereIs = (name: string, harness: Harness, before: number): string => {
    if (harness.started.includes(name)) return 'works';
    return harness.counts[1] < before ? 'has a place' : 'waits';
  };

  it('goes to a waiting call, not to a newcomer, whenever that arrives', async () => {
    const seen: string[] = [];
    for (let turns = 0; turns < 8; turns++) {
      const harness = new Harness({ maxQueue: 2 });
      const first = harness.begin('first');
      harness.begin('second');
      first.works[0]!.resolve('x');
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      seen.push(whereIs('second', harness, 1));
      harness.begin('newcomer');
      await settle();
      expect(harness.started).toEqual(['first', 'second']);
    }
    expect([...new Set(seen)]).toEqual(['waits', 'has a place', 'works']);
  });

  it('goes on to the next call when the one that got it is stopped, at any moment', async () => {
    const seen: string[] = [];
    for (let turns = 0; turns < 8; turns++) {
      const harness = new Harness({ maxQueue: 2 });
      const gone = new Error('gone');
      const first = harness.begin('first');
      const second = harness.begin('second', { interruptible: true });
      const third = harness.begin('third');
      first.works[0]!.resolve('x');
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const where = whereIs('second', harness, 2);
      seen.push(where);
      second.call.abort(gone);
      expect((await second.end).error).toBe(gone);
      await settle();
      const worked = where === 'works';
      expect(harness.started).toEqual(worked ? ['first', 'second'] : ['first', 'third']);
      expect(harness.counts).toEqual(worked ? [1, 1] : [1, 0]);
      second.works[0]?.resolve('late');
      await settle();
      third.works[0]!.resolve('x');
      await third.end;
      expect(harness.counts).toEqual([0, 0]);
    }
    expect([...new Set(seen)]).toEqual(['waits', 'has a place', 'works']);
  });
});

describe('a call whose result is a stream', () => {
  class Stream extends StreamResult {}

  it.each(ways)('keeps its place until the stream ends (%s)', async (_way, callOf) => {
    const harness = new Harness({ maxQueue: 1 });
    const stream = new Stream();
    const call = callOf(harness, () => stream);
    await expect(harness.run(call)).resolves.toBe(stream);
    await settle();
    expect(harness.counts).toEqual([1, 0]);
    harness.begin('second');
    await harness.clock.advance(300);
    expect(harness.started).toEqual([]);
    call.finish();
    await settle();
    expect(harness.started).toEqual(['second']);
    expect(harness.counts).toEqual([1, 0]);
  });

  it('gives it back once', async () => {
    const harness = new Harness({ maxConcurrent: 2 });
    const call = harness.call(() => new Stream());
    harness.begin('other');
    await harness.run(call);
    call.finish();
    call.finish();
    expect(harness.counts).toEqual([1, 0]);
  });

  it('holds it for the time of the stream, for the mean too', async () => {
    const harness = new Harness({ around: () => [new OnExit((call) => call.now())] });
    const call = harness.call(() => new Stream());
    await harness.run(call);
    await harness.clock.advance(700);
    call.finish();
    harness.begin('second');
    expect((await harness.begin('third').end).error).toMatchObject({ retryAfterMs: 700 });
  });

  it('gives it back when it is stopped at the moment of its result', async () => {
    const harness = new Harness();
    const call = harness.call(
      (own) => {
        own.abort(down);
        return Promise.resolve(new Stream());
      },
      { interruptible: true },
    );
    await expect(harness.run(call)).rejects.toBe(down);
    await settle();
    expect(harness.counts).toEqual([0, 0]);
  });
});

describe('a call that finds a place', () => {
  /** How many promises it takes to run a call. */
  async function promisesOf(run: () => Promise<unknown>): Promise<number> {
    let made = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'PROMISE') made += 1;
      },
    });
    hook.enable();
    try {
      await run();
    } finally {
      hook.disable();
    }
    return made;
  }

  it.each(ways)('creates no timer and no promise (%s)', async (_way, callOf) => {
    const harness = new Harness({ maxQueue: 1, maxWait: 100 });
    const bare = harness.pipelineOf([]);
    const setTimer = jest.spyOn(harness.clock, 'setTimer');
    const calls = [0, 1, 2].map(() => callOf(harness, () => 'books'));
    await promisesOf(() => bare.run(calls[0]!)); // the first measurement counts what it needs itself
    const expected = await promisesOf(() => bare.run(calls[1]!));
    expect(expected).toBeGreaterThan(0);
    expect(await promisesOf(() => harness.run(calls[2]!))).toBe(expected);
    expect(setTimer).not.toHaveBeenCalled();
  });

  it('creates no AbortController, whether it waits or not, succeeds or is abandoned', async () => {
    const Original = globalThis.AbortController;
    let made = 0;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        made += 1;
      }
    };
    try {
      const harness = new Harness({ maxQueue: 1, around: (own) => [own.timeout('attempt', 100)] });
      const [first, second] = [harness.begin('first'), harness.begin('second')];
      first.works[0]!.resolve('x');
      await harness.clock.advance(100);
      await Promise.all([first.end, second.end]);
      expect(made).toBe(0);
    } finally {
      globalThis.AbortController = Original;
    }
  });
});
