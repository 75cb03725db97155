import * as sinon from '@sinonjs/fake-timers';
import { systemClock } from './clock.js';
import { DeadlineQueue } from './deadline-queue.js';

const { setTimeout: realSetTimeout } = globalThis;

const realWait = (ms: number): Promise<void> =>
  new Promise((resolve) => void realSetTimeout(resolve, ms));

/** Waits, in real time, until as many items are there. */
async function until(items: readonly unknown[], count: number): Promise<void> {
  for (let turn = 0; turn < 1_000 && items.length < count; turn++) await realWait(2);
}

/** Some fake timers: how to switch them on and off, and how to have their time pass. */
interface Fakes {
  on(): void;
  off(): void;
  pass(ms: number): void;
}

let clock: sinon.Clock;

const sinonFakes = (config: Parameters<typeof sinon.install>[0]): Fakes => ({
  on: () => void (clock = sinon.install(config)),
  off: () => clock.uninstall(),
  pass: (ms) => void clock.tick(ms),
});

const jestFakes = (config?: Parameters<typeof jest.useFakeTimers>[0]): Fakes => ({
  on: () => void jest.useFakeTimers(config),
  off: () => void jest.useRealTimers(),
  pass: (ms) => jest.advanceTimersByTime(ms),
});

const kinds: [string, Fakes][] = [
  ["Jest's", jestFakes()],
  ["Jest's, without performance", jestFakes({ doNotFake: ['performance'] })],
  ["Jest's, at a time of day", jestFakes({ now: Date.UTC(2050, 0, 1) })],
  ["Jest's legacy ones", jestFakes({ legacyFakeTimers: true })],
  ["Sinon's", sinonFakes({})],
  ["Sinon's, only the timers", sinonFakes({ toFake: ['setTimeout', 'clearTimeout'] })],
];

/** A queue of deadlines, and what it has told so far. */
function queueOf(ms = 100): { add: (item: string) => () => void; due: string[] } {
  const due: string[] = [];
  const queue = new DeadlineQueue<string>(systemClock, ms, (item) => void due.push(item));
  const add = (item: string): (() => void) => {
    const deadline = queue.add(item, systemClock.now());
    return () => queue.remove(deadline);
  };
  return { add, due };
}

describe.each(kinds)('under fake timers, %s,', (_kind, fakes) => {
  const warned = jest.spyOn(process, 'emitWarning');

  afterEach(() => {
    fakes.off();
    jest.useRealTimers();
    expect(warned).not.toHaveBeenCalled();
  });

  it('deadlines follow the fake time', () => {
    fakes.on();
    const { add, due } = queueOf();
    add('a');
    fakes.pass(99);
    expect(due).toEqual([]);
    fakes.pass(1);
    expect(due).toEqual(['a']);
  });

  it('a queue that was in use before works on', () => {
    const { add, due } = queueOf();
    add('before')();
    fakes.on();
    add('a');
    fakes.pass(90);
    expect(due).toEqual([]);
    fakes.pass(100);
    expect(due).toEqual(['a']);
  });

  it('a queue works on when they are switched off', async () => {
    fakes.on();
    const { add, due } = queueOf(20);
    add('under them')();
    fakes.off();
    add('a');
    expect(due).toEqual([]);
    await until(due, 1);
    expect(due).toEqual(['a']);
  });

  it('a queue works on from one test to the next', () => {
    const { add, due } = queueOf();
    for (const test of ['a', 'b', 'c']) {
      fakes.on();
      add('answered')();
      add(test);
      fakes.pass(100);
      expect(due.at(-1)).toBe(test);
      fakes.off();
    }
  });

  it('a wait that began before they were switched on ends in fake time', () => {
    const { add, due } = queueOf();
    add('under way');
    fakes.on();
    add('a');
    fakes.pass(100);
    expect(due).toEqual(['under way', 'a']);
  });

  it('a wait ends in real time after they were switched off, without further use', async () => {
    fakes.on();
    const { add, due } = queueOf(40);
    add('under way');
    fakes.pass(20);
    fakes.off();
    await until(due, 1);
    expect(due).toEqual(['under way']);
  });

  it('a wait that had lasted for a while ends in real time after they were switched off', async () => {
    fakes.on();
    const { add, due } = queueOf(20);
    add('under way');
    await realWait(35);
    expect(due).toEqual([]);
    fakes.off();
    await until(due, 1);
    expect(due).toEqual(['under way']);
  });

  it('a wait of an earlier test ends with the next use after they were switched off', async () => {
    fakes.on();
    const { add, due } = queueOf(20);
    add('under way');
    fakes.off();
    add('a');
    await until(due, 2);
    expect(due).toEqual(['under way', 'a']);
  });

  it('a wait continues when they are switched on, and when they are switched off', async () => {
    const fired = jest.fn();
    systemClock.setTimer(() => fired('across'), 50);
    fakes.on();
    systemClock.now();
    fakes.pass(20);
    expect(fired).not.toHaveBeenCalled();
    systemClock.setTimer(() => fired('after'), 50);
    fakes.pass(31);
    expect(fired.mock.calls).toEqual([['across']]);
    fakes.off();
    await until(fired.mock.calls, 2);
    expect(fired.mock.calls).toEqual([['across'], ['after']]);
  });

  it('a cancelled timer stays cancelled on both sides', async () => {
    const fired = jest.fn();
    const before = systemClock.setTimer(fired, 10);
    fakes.on();
    before.cancel();
    const under = systemClock.setTimer(fired, 10);
    fakes.off();
    under.cancel();
    under.unref();
    await realWait(30);
    expect(fired).not.toHaveBeenCalled();
  });

  it('the time never goes back and never leaps', () => {
    let last = systemClock.now();
    const look = (passed = 0): void => {
      const now = systemClock.now();
      expect(now).toBeGreaterThanOrEqual(last + passed);
      expect(now).toBeLessThan(last + passed + 500);
      last = now;
    };
    for (let round = 0; round < 3; round++) {
      fakes.on();
      look();
      systemClock.setTimer(() => {}, 10_000);
      fakes.pass(10_000);
      look(10_000);
      fakes.off();
      look();
    }
  });
});

describe('fake timers', () => {
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  it('are not used by an empty queue', () => {
    jest.useFakeTimers();
    const { add } = queueOf();
    add('answered')();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('may be cleared between two tests', () => {
    jest.useFakeTimers();
    const { add, due } = queueOf();
    add('answered')();
    jest.clearAllTimers();
    add('a');
    jest.advanceTimersByTime(100);
    expect(due).toEqual(['a']);
  });

  it('may be cleared during a wait, which then ends at the next use', () => {
    jest.useFakeTimers();
    const { add, due } = queueOf();
    add('cleared');
    jest.clearAllTimers();
    jest.advanceTimersByTime(1_000);
    add('a');
    jest.advanceTimersByTime(100);
    expect(due).toEqual(['cleared', 'a']);
  });

  it('may be set back', () => {
    const own = sinon.install();
    try {
      own.tick(5_000);
      const before = systemClock.now();
      const { add, due } = queueOf();
      add('answered')();
      own.reset();
      expect(systemClock.now()).toBe(before);
      add('a');
      own.tick(100);
      expect(due).toEqual(['a']);
      expect(systemClock.now()).toBe(before + 100);
    } finally {
      own.uninstall();
    }
  });

  it('may be replaced by spies', () => {
    jest.useFakeTimers();
    const { add, due } = queueOf();
    add('a');
    jest.spyOn(globalThis, 'setTimeout');
    add('b');
    jest.advanceTimersByTime(100);
    expect(due).toEqual(['a', 'b']);
  });

  it('may set any time of day', () => {
    jest.useFakeTimers();
    const { add, due } = queueOf();
    add('a');
    const before = systemClock.now();
    jest.setSystemTime(Date.UTC(1999, 0, 1));
    expect(systemClock.now()).toBe(before);
    expect(systemClock.wall()).toBe(Date.UTC(1999, 0, 1));
    jest.advanceTimersByTime(100);
    expect(due).toEqual(['a']);
  });

  it('have no effect if they replace only the date', () => {
    const now = systemClock.now();
    jest.useFakeTimers({ doNotFake: ['setTimeout', 'clearTimeout', 'performance'], now: 0 });
    expect(systemClock.now() - now).toBeLessThan(500);
  });

  it('work beside a tool that wraps the timers', async () => {
    const { add, due } = queueOf(10);
    add('a');
    const wrapped = globalThis.setTimeout;
    globalThis.setTimeout = ((callback: () => void, ms: number) =>
      wrapped(callback, ms)) as typeof setTimeout;
    try {
      add('b');
      await until(due, 2);
      expect(due).toEqual(['a', 'b']);
    } finally {
      globalThis.setTimeout = wrapped;
    }
  });
});
