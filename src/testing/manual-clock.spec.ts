import { ManualClock } from './manual-clock.js';

describe('ManualClock', () => {
  it('stands still until it is moved', async () => {
    const clock = new ManualClock(1_000);
    expect([clock.now(), clock.wall()]).toEqual([0, 1_000]);
    await clock.advance(250);
    expect([clock.now(), clock.wall()]).toEqual([250, 1_250]);
  });

  it('runs the timers that fall due, in their order, each at its time', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    for (const [name, ms] of [
      ['c', 300],
      ['a', 100],
      ['b', 200],
      ['b too', 200],
    ] as const) {
      clock.setTimer(() => log.push(`${name} at ${clock.now()}`), ms);
    }
    await clock.advance(299);
    expect(log).toEqual(['a at 100', 'b at 200', 'b too at 200']);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(log.at(-1)).toBe('c at 300');
    expect(clock.pending).toBe(0);
  });

  it('runs the timers that timers set, when they fall due too', async () => {
    const clock = new ManualClock();
    const times: number[] = [];
    const again = (): void => {
      times.push(clock.now());
      clock.setTimer(again, 100);
    };
    again();
    await clock.advance(350);
    expect(times).toEqual([0, 100, 200, 300]);
  });

  it('lets promises settle before the next timer runs', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    const wait = (ms: number): Promise<void> =>
      new Promise((resolve) => void clock.setTimer(resolve, ms));
    void wait(100)
      .then(() => Promise.resolve())
      .then(() => log.push('after a'));
    void wait(200).then(() => log.push('b'));
    await clock.advance(500);
    expect(log).toEqual(['after a', 'b']);
  });

  it('lets promises settle that no timer waits for', async () => {
    const clock = new ManualClock();
    const settled = jest.fn();
    void Promise.resolve()
      .then(() => Promise.resolve())
      .then(settled);
    await clock.advance(0);
    expect(settled).toHaveBeenCalled();
  });

  it('does not run a cancelled timer', async () => {
    const clock = new ManualClock();
    const fired = jest.fn();
    const timer = clock.setTimer(fired, 100);
    timer.ref();
    timer.unref();
    timer.cancel();
    expect(clock.pending).toBe(0);
    await clock.advance(1_000);
    expect(fired).not.toHaveBeenCalled();
  });

  it('runs a timer of no or negative time when it is next moved', async () => {
    const clock = new ManualClock();
    const fired = jest.fn();
    clock.setTimer(fired, -5);
    expect(fired).not.toHaveBeenCalled();
    await clock.advance(0);
    expect(fired).toHaveBeenCalledTimes(1);
    expect(clock.now()).toBe(0);
  });

  it('runs any number of timers in their order, whatever is cancelled in between', async () => {
    const clock = new ManualClock();
    const fired: [number, number][] = [];
    const expected: [number, number][] = [];
    const timers = Array.from({ length: 2_000 }, (_, i) => {
      const ms = (i * 7_919) % 97;
      return { i, ms, timer: clock.setTimer(() => fired.push([ms, i]), ms) };
    });
    for (const { i, ms, timer } of timers) {
      if (i % 3 === 0) timer.cancel();
      else expected.push([ms, i]);
    }
    timers[0]!.timer.cancel();
    expect(clock.pending).toBe(expected.length);
    await clock.advance(97);
    expect(fired).toEqual(expected.sort(([a, i], [b, j]) => a - b || i - j));
    expect(clock.pending).toBe(0);
    timers[1]!.timer.cancel(); // has fired
    expect(clock.pending).toBe(0);
  });

  it('takes a time that is not a number as none', async () => {
    const clock = new ManualClock();
    const fired = jest.fn();
    clock.setTimer(fired, NaN);
    await clock.advance(0);
    expect(fired).toHaveBeenCalledTimes(1);
  });

  it.each(['5s', -1, NaN, undefined])('is not moved by %p, which is not a duration', async (ms) => {
    const clock = new ManualClock();
    await expect(clock.advance(ms as never)).rejects.toThrow('use milliseconds, a number from 0');
    expect(clock.now()).toBe(0);
  });
});
