import { brand } from './brand.js';
import { systemClock } from './clock.js';
import { realNow } from './time-source.js';

/** The longest time that Node's timers know. */
const LONGEST = 2 ** 31 - 1;

describe('systemClock', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  it('gives milliseconds on a monotonic clock and since the epoch', () => {
    jest.setSystemTime(1_000_000);
    const before = systemClock.now();
    jest.advanceTimersByTime(250);
    expect(systemClock.now() - before).toBe(250);
    expect(systemClock.wall()).toBe(1_000_250);
  });

  it('fires a timer once, when it is due', () => {
    const fired = jest.fn();
    systemClock.setTimer(fired, 100);
    jest.advanceTimersByTime(99);
    expect(fired).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1_000);
    expect(fired).toHaveBeenCalledTimes(1);
  });

  it('does not fire a cancelled timer', () => {
    const fired = jest.fn();
    systemClock.setTimer(fired, 100).cancel();
    jest.advanceTimersByTime(1_000);
    expect(fired).not.toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([LONGEST, LONGEST + 1, 2.5 * LONGEST])(
    'fires a timer of %p ms neither early nor late',
    (ms) => {
      const fired = jest.fn();
      systemClock.setTimer(fired, ms);
      jest.advanceTimersByTime(Math.floor(ms) - 1);
      expect(fired).not.toHaveBeenCalled();
      jest.advanceTimersByTime(2);
      expect(fired).toHaveBeenCalledTimes(1);
    },
  );

  it('cancels a very long timer in its later parts too', () => {
    const fired = jest.fn();
    const timer = systemClock.setTimer(fired, LONGEST + 1_000);
    jest.advanceTimersByTime(LONGEST + 500);
    timer.cancel();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(1_000);
    expect(fired).not.toHaveBeenCalled();
  });

  it('lets the process exit before a very long timer that is unreferenced', () => {
    const started = jest.spyOn(globalThis, 'setTimeout');
    const latest = (): NodeJS.Timeout => started.mock.results.at(-1)!.value as NodeJS.Timeout;
    const timer = systemClock.setTimer(() => {}, LONGEST + 1_000);
    expect(latest().hasRef()).toBe(true);
    timer.unref();
    jest.advanceTimersByTime(LONGEST);
    expect(started).toHaveBeenCalledTimes(2);
    expect(latest().hasRef()).toBe(false);
    timer.ref();
    expect(latest().hasRef()).toBe(true);
  });

  it('keeps the process alive in the later parts of a very long timer', () => {
    const started = jest.spyOn(globalThis, 'setTimeout');
    systemClock.setTimer(() => {}, LONGEST + 1_000);
    jest.advanceTimersByTime(LONGEST);
    expect((started.mock.results.at(-1)!.value as NodeJS.Timeout).hasRef()).toBe(true);
  });
});

describe('a timer of systemClock', () => {
  const { setTimeout, clearTimeout } = globalThis;

  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
    Object.assign(globalThis, { setTimeout, clearTimeout });
  });

  /** Timers of an environment that imitates a browser: numbers for handles, and none can be cleared. */
  function numbered(): (() => void)[] {
    const callbacks: (() => void)[] = [];
    const set = (callback: () => void): number => callbacks.push(callback);
    Object.assign(globalThis, { setTimeout: set, clearTimeout: () => {} });
    return callbacks;
  }

  it('may be a number, as in some environments', () => {
    const callbacks = numbered();
    const fired = jest.fn();
    const timer = systemClock.setTimer(fired, 10);
    expect(() => {
      timer.unref();
      timer.ref();
      timer.unref();
    }).not.toThrow();
    const long = systemClock.setTimer(fired, LONGEST + 10);
    long.unref();
    expect(() => callbacks[1]!()).not.toThrow();
    callbacks[0]!();
    expect(fired).toHaveBeenCalledTimes(1);
    long.cancel();
  });

  it('does not fire once it is cancelled, even when it cannot be cleared', () => {
    const callbacks = numbered();
    const fired = jest.fn();
    const timer = systemClock.setTimer(fired, 10);
    timer.cancel();
    expect(() => timer.cancel()).not.toThrow();
    callbacks[0]!();
    expect(fired).not.toHaveBeenCalled();
  });

  it('keeps the process alive in its later parts when it was referenced last', () => {
    jest.useFakeTimers();
    const started = jest.spyOn(globalThis, 'setTimeout');
    const timer = systemClock.setTimer(() => {}, LONGEST + 1_000);
    timer.unref();
    timer.ref();
    jest.advanceTimersByTime(LONGEST);
    expect((started.mock.results.at(-1)!.value as NodeJS.Timeout).hasRef()).toBe(true);
  });

  it('is discarded only among fake timers', () => {
    systemClock.now();
    expect(systemClock.faked).toBe(false);
    jest.useFakeTimers();
    systemClock.now();
    expect(systemClock.faked).toBe(true);
    jest.useRealTimers();
    systemClock.now();
    expect(systemClock.faked).toBe(false);
  });

  it('does not set the time back when it is late', async () => {
    const ahead = (): number => systemClock.now() - realNow();
    const before = ahead();
    await new Promise<void>((resolve) => {
      systemClock.setTimer(resolve, 1);
      const until = realNow() + 30;
      while (realNow() < until);
    });
    expect(Math.abs(ahead() - before)).toBeLessThan(5);
  });

  it('does not fire after the end of its test file', () => {
    jest.useFakeTimers();
    const slots = globalThis as unknown as Record<symbol, { sings?: boolean }>;
    const canary = slots[brand('canary')]!;
    const fired = jest.fn();
    systemClock.setTimer(fired, 10);
    delete canary.sings;
    try {
      jest.advanceTimersByTime(10);
    } finally {
      canary.sings = true;
    }
    expect(fired).not.toHaveBeenCalled();
  });
});
