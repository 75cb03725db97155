import { deferred } from '../../test/support/wait.js';
import type { Timer } from '../common/clock.js';
import { ManualClock, MemoryStore } from '../testing/index.js';
import { CheckedStore } from './checked-store.js';
import { StoreGuard } from './store-guard.js';

/** Timers may be late, as when the event loop is blocked. */
class TestClock extends ManualClock {
  private lag = 0;
  private readonly held = new Set<{ readonly at: number; readonly callback: () => void }>();

  override now(): number {
    return super.now() + this.lag;
  }

  override setTimer(callback: () => void, ms: number): Timer {
    const timer = { at: this.now() + ms, callback };
    this.held.add(timer);
    return { cancel: () => void this.held.delete(timer), ref: () => {}, unref: () => {} };
  }

  override get pending(): number {
    return this.held.size;
  }

  /** Time passes, and then all timers fire that have become due. */
  stall(ms: number): void {
    this.lag += ms;
    for (const timer of [...this.held]) {
      if (timer.at > this.now()) continue;
      this.held.delete(timer);
      timer.callback();
    }
  }

  override async advance(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed++) {
      this.stall(1);
      await super.advance(0);
    }
    await super.advance(0);
  }
}

/** A guard, and what its listener has heard. */
function guarded(): { clock: TestClock; guard: StoreGuard; told: unknown[] } {
  const clock = new TestClock();
  const told: unknown[] = [];
  const guard = new StoreGuard(new CheckedStore(new MemoryStore({ clock }), () => {}), clock, {
    degraded: (error) => told.push((error as Error).message),
    recovered: (ms) => told.push(ms),
  });
  return { clock, guard, told };
}

const down = async (): Promise<never> => Promise.reject(new Error('down'));
const never = (): Promise<never> => new Promise(() => {});

describe('a guarded store', () => {
  it('gives what it answers, and leaves no timer', async () => {
    const { clock, guard } = guarded();
    expect(await guard.ask(async (store) => store.kind, 50)).toBe('memory');
    expect(clock.pending).toBe(0);
  });

  it('gives nothing, instead of an error', async () => {
    const { guard, told } = guarded();
    const thrown = guard.ask(() => {
      throw new Error('at once');
    }, 50);
    expect(await thrown).toBeUndefined();
    expect(guard.available).toBe(true);
    expect(await guard.ask(down, 50)).toBeUndefined();
    expect(told).toEqual(['down']);
    expect(guard.available).toBe(false);
  });

  it('is given up after the time budget; a late answer goes to whoever looks after it', async () => {
    const { clock, guard } = guarded();
    const late: string[] = [];
    let answer!: (text: string) => void;
    const asked = guard.ask(
      () => new Promise<string>((resolve) => (answer = resolve)),
      50,
      (text) => late.push(text),
    );
    await clock.advance(49);
    await clock.advance(1);
    expect(await asked).toBeUndefined();
    answer('late');
    await clock.advance(0);
    expect(late).toEqual(['late']);
  });

  it('is not called while it is away, except to see whether it is back', async () => {
    const { clock, guard, told } = guarded();
    await guard.ask(down, 50);
    await guard.ask(down, 50);
    const work = jest.fn(async () => 1);
    expect(await guard.ask(work, 50)).toBeUndefined();
    expect(work).not.toHaveBeenCalled();
    await clock.advance(700);
    expect(await guard.try(work, 50)).toBe(1);
    expect(guard.available).toBe(false);
    guard.recover();
    guard.recover();
    expect(guard.available).toBe(true);
    expect(told).toEqual(['down', 700]);
  });

  it('has answered in time if the answer had arrived when the event loop turned again', async () => {
    const { clock, guard, told } = guarded();
    for (let i = 0; i < 2; i++) {
      const { promise, resolve } = deferred<string>();
      const asked = guard.ask(() => promise, 50);
      clock.stall(55);
      resolve('books');
      expect(await asked).toBe('books');
    }
    expect(told).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('gets the time back for which the event loop stood still, once and up to the budget', async () => {
    const { clock, guard } = guarded();
    const { promise, resolve } = deferred<string>();
    let asked = guard.ask(() => promise, 50);
    clock.stall(70);
    await clock.advance(19);
    resolve('books');
    expect(await asked).toBe('books');
    asked = guard.ask(never, 50);
    clock.stall(5_000);
    await clock.advance(49);
    expect(guard.troubled).toBe(false);
    await clock.advance(1);
    expect(await asked).toBeUndefined();
    expect(guard.troubled).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('has failed once when calls fail that were made at the same time', async () => {
    const { guard, told } = guarded();
    await Promise.all([guard.ask(down, 50), guard.ask(down, 50), guard.ask(down, 50)]);
    expect(told).toEqual([]);
    await Promise.all([guard.ask(down, 50), guard.ask(down, 50)]);
    expect(told).toEqual(['down']);
  });

  it('is still away when it only answers questions', async () => {
    const { guard, told } = guarded();
    await guard.ask(down, 50);
    await guard.try(async () => 'read', 50);
    expect(guard.troubled).toBe(true);
    await guard.try(down, 50);
    await guard.try(async () => 'read', 50);
    expect([guard.available, guard.waitUpTo(1_000, 15_000), told]).toEqual([false, 250, ['down']]);
  });

  it('may answer late what nobody can use', async () => {
    const { clock, guard } = guarded();
    let answer!: (text: string) => void;
    const asked = guard.ask(
      () => new Promise<string>((resolve) => (answer = resolve)),
      50,
      () => {
        throw new Error('of no use');
      },
    );
    await clock.advance(50);
    expect(await asked).toBeUndefined();
    answer('late'); // an unhandled rejection would fail the test
    await clock.advance(0);
  });

  it('may hiccup: two failures with a success in between are none', async () => {
    const { guard, told } = guarded();
    await guard.ask(down, 50);
    await guard.ask(async () => 1, 50);
    await guard.ask(down, 50);
    expect(told).toEqual([]);
  });

  it('is not judged by a look', async () => {
    const { clock, guard, told } = guarded();
    const frozen = guard.peek(never, 50);
    await clock.advance(50);
    expect(await frozen).toBeUndefined();
    for (let i = 0; i < 3; i++) await guard.peek(down, 50);
    expect([guard.troubled, told]).toEqual([false, []]);
    await guard.ask(down, 50);
    expect(await guard.peek(async () => 'seen', 50)).toBe('seen');
    expect(guard.troubled).toBe(true);
    await guard.ask(down, 50);
    const look = jest.fn(async () => 'seen');
    expect(await guard.peek(look, 50)).toBeUndefined();
    expect(look).not.toHaveBeenCalled();
    expect(told).toEqual(['down']);
  });

  it('is tried after waits that double, up to the longest', async () => {
    const { guard } = guarded();
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      await guard.try(down, 50);
      waits.push(guard.waitUpTo(1_000, 15_000));
    }
    expect(waits).toEqual([125, 250, 500, 1_000, 1_000, 1_000]);
  });

  it('is left alone for longer each time it fails again soon after its return', async () => {
    const { clock, guard } = guarded();
    const waits: number[][] = [];
    const failAndRecover = async (): Promise<void> => {
      const some: number[] = [];
      for (let i = 0; i < 9; i++) {
        await guard.try(down, 50);
        some.push(guard.waitUpTo(1_000, 3_000));
      }
      waits.push([some[1]!, some[8]!]); // the first one that is away, and the longest
      guard.recover();
    };
    for (let i = 0; i < 4; i++) await failAndRecover();
    clock.stall(60_000);
    await failAndRecover();
    expect(waits).toEqual([
      [250, 1_000],
      [500, 2_000],
      [1_000, 3_000],
      [2_000, 3_000],
      [250, 1_000],
    ]);
  });

  it('ends all waits when it is closed, tells nobody, and is called no more', async () => {
    const { clock, guard, told } = guarded();
    const waiting = guard.ask(never, 50);
    guard.close();
    expect(await waiting).toBeUndefined();
    expect(clock.pending).toBe(0);
    const work = jest.fn(async () => 1);
    await guard.ask(work, 50);
    await guard.try(work, 50);
    expect(work).not.toHaveBeenCalled();
    expect(told).toEqual([]);
  });
});
