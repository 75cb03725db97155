import { ManualClock, MemoryStore } from '../testing/index.js';
import { StoreGuard } from './store-guard.js';

/** A guard, and what its listener has heard. */
function guarded(): { clock: ManualClock; guard: StoreGuard; told: unknown[] } {
  const clock = new ManualClock();
  const told: unknown[] = [];
  const guard = new StoreGuard(new MemoryStore({ clock }), clock, {
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

  it('may hiccup: two failures with a success in between are none', async () => {
    const { guard, told } = guarded();
    await guard.ask(down, 50);
    await guard.ask(async () => 1, 50);
    await guard.ask(down, 50);
    expect(told).toEqual([]);
  });

  it('is tried after waits that double, up to the longest', async () => {
    const { guard } = guarded();
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      await guard.try(down, 50);
      waits.push(guard.waitUpTo(1_000));
    }
    expect(waits).toEqual([125, 250, 500, 1_000, 1_000, 1_000]);
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
