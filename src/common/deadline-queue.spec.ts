import type { Timer } from './clock.js';
import { ManualClock } from '../testing/index.js';
import { DeadlineQueue } from './deadline-queue.js';
import { QUIET_TURNS } from './late.js';

/** Counts its timers, and may be late as when the event loop was blocked. */
class TestClock extends ManualClock {
  lag = 0;
  readonly made: { ref: boolean }[] = [];

  override now(): number {
    return super.now() + this.lag;
  }

  override setTimer(callback: () => void, ms: number): Timer {
    const state = { ref: true };
    this.made.push(state);
    const timer = super.setTimer(callback, ms);
    return {
      cancel: () => timer.cancel(),
      ref: () => void (state.ref = true),
      unref: () => void (state.ref = false),
    };
  }

  /** Whether the newest timer keeps the process alive. */
  get holds(): boolean {
    return this.made.at(-1)!.ref;
  }
}

function setUp(ms = 100): {
  clock: TestClock;
  due: [string, number][];
  queue: DeadlineQueue<string>;
  add: (item: string) => ReturnType<DeadlineQueue<string>['add']>;
} {
  const clock = new TestClock();
  const due: [string, number][] = [];
  const queue = new DeadlineQueue<string>(clock, ms, (item) => void due.push([item, clock.now()]));
  return { clock, due, queue, add: (item) => queue.add(item, clock.now()) };
}

describe('DeadlineQueue', () => {
  it('reports each deadline when it is due, in the order in which they were set', async () => {
    const { clock, due, add } = setUp();
    add('a');
    await clock.advance(30);
    add('b');
    add('c');
    await clock.advance(40);
    add('d');
    await clock.advance(1_000);
    expect(due).toEqual([
      ['a', 100],
      ['b', 130],
      ['c', 130],
      ['d', 170],
    ]);
    expect(clock.pending).toBe(0);
  });

  it('has one timer at a time, for any number of deadlines', async () => {
    const { clock, due, add, queue } = setUp();
    for (let i = 0; i < 1_000; i++) {
      const deadline = add(`${i}`);
      if (i % 2) queue.remove(deadline);
      expect(clock.pending).toBe(1);
    }
    expect(clock.made).toHaveLength(1);
    await clock.advance(100);
    expect(due).toHaveLength(500);
  });

  it.each([
    ['first', 'a', ['b', 'c']],
    ['middle', 'b', ['a', 'c']],
    ['last', 'c', ['a', 'b']],
  ])('does not report a removed one: the %s', async (_where, removed, left) => {
    const { clock, due, add, queue } = setUp();
    const deadlines = new Map(['a', 'b', 'c'].map((item) => [item, add(item)]));
    queue.remove(deadlines.get(removed)!);
    queue.remove(deadlines.get(removed)!); // twice does no harm
    await clock.advance(100);
    expect(due.map(([item]) => item)).toEqual(left);
  });

  it('does not change when a removed one is removed again', async () => {
    const { clock, due, add, queue } = setUp();
    const [first, second] = [add('a'), add('b')];
    queue.remove(first);
    queue.remove(second);
    queue.remove(first);
    await clock.advance(100);
    expect(due).toEqual([]);
  });

  it('accepts deadlines after the last one was removed', async () => {
    const { clock, due, add, queue } = setUp();
    add('a');
    queue.remove(add('b'));
    add('c');
    await clock.advance(100);
    expect(due.map(([item]) => item)).toEqual(['a', 'c']);
  });

  it('allows removing one that is due', async () => {
    const clock = new TestClock();
    const due: string[] = [];
    const queue: DeadlineQueue<string> = new DeadlineQueue(clock, 100, (item) => {
      due.push(item);
      queue.remove(item === 'a' ? b : a);
    });
    const a = queue.add('a', 0);
    const b = queue.add('b', 0);
    await clock.advance(100);
    expect(due).toEqual(['a']);
  });

  it('reuses its timer after it has run empty, and is still on time', async () => {
    const { clock, due, add, queue } = setUp();
    queue.remove(add('a'));
    await clock.advance(60);
    add('b');
    expect(clock.made).toHaveLength(1);
    await clock.advance(99);
    expect(due).toEqual([]);
    await clock.advance(1);
    expect(due).toEqual([['b', 160]]);
  });

  it('keeps the process alive only while it has deadlines', () => {
    const { clock, add, queue } = setUp();
    const deadline = add('a');
    expect(clock.holds).toBe(true);
    queue.remove(deadline);
    expect(clock.holds).toBe(false);
    add('b');
    expect(clock.holds).toBe(true);
  });

  it('has one timer when the callback of a deadline sets another', async () => {
    const clock = new TestClock();
    const due: [string, number][] = [];
    const queue: DeadlineQueue<string> = new DeadlineQueue(clock, 100, (item) => {
      due.push([item, clock.now()]);
      if (item === 'a') queue.add('b', clock.now());
    });
    queue.add('a', 0);
    await clock.advance(100);
    expect(clock.pending).toBe(1);
    await clock.advance(100);
    expect(due).toEqual([
      ['a', 100],
      ['b', 200],
    ]);
    expect(clock.pending).toBe(0);
  });

  it('reports a deadline when its timer fires a little early', async () => {
    const { clock, due, add } = setUp();
    add('a');
    clock.lag = -0.9;
    await clock.advance(100);
    expect(due).toHaveLength(1);
  });

  it('goes on waiting when its timer fires too early', async () => {
    const { clock, due, add } = setUp();
    add('a');
    clock.lag = -1;
    await clock.advance(100);
    expect(due).toEqual([]);
    await clock.advance(1);
    expect(due).toHaveLength(1);
  });

  describe('after the event loop was blocked', () => {
    it('lets unread answers go first', async () => {
      const { clock, due, add, queue } = setUp();
      const answered = add('answered');
      add('late');
      clock.lag = 300;
      let answer: (() => void) | undefined = () => queue.remove(answered);
      const setTimer = clock.setTimer.bind(clock);
      clock.setTimer = (callback, ms) => {
        answer?.();
        answer = undefined;
        return setTimer(callback, ms);
      };
      await clock.advance(100);
      expect(due).toEqual([['late', 400]]);
    });

    it('waits a few turns of the loop, and only once', async () => {
      const { clock, due, add } = setUp();
      add('a');
      clock.lag = 11;
      await clock.advance(100);
      expect(due).toHaveLength(1);
      expect(clock.made).toHaveLength(1 + QUIET_TURNS);
    });

    it('waits for as many further turns after each one in which an answer was read', async () => {
      const { clock, due, add, queue } = setUp();
      const answered = add('answered');
      add('late');
      const setTimer = clock.setTimer.bind(clock);
      let turns = 0;
      clock.setTimer = (callback, ms) =>
        setTimer(() => {
          turns += 1;
          if (turns === 3) queue.remove(answered);
          callback();
        }, ms);
      clock.lag = 20;
      await clock.advance(100);
      expect(due.map(([item]) => item)).toEqual(['late']);
      expect(turns).toBe(3 + QUIET_TURNS);
    });

    it('does not wait longer because of an answer that was not late', async () => {
      const { clock, due, add, queue } = setUp();
      add('late');
      await clock.advance(50);
      const early = add('early');
      const setTimer = clock.setTimer.bind(clock);
      let turns = 0;
      clock.setTimer = (callback, ms) =>
        setTimer(() => {
          turns += 1;
          if (turns === 3) queue.remove(early);
          callback();
        }, ms);
      clock.lag = 20;
      await clock.advance(50);
      expect(due.map(([item]) => item)).toEqual(['late']);
      expect(turns).toBe(QUIET_TURNS);
    });

    it('waits again for deadlines that have become due meanwhile and are late too', async () => {
      const { clock, due, add } = setUp();
      add('a');
      await clock.advance(50);
      add('b');
      const setTimer = clock.setTimer.bind(clock);
      let turns = 0;
      clock.setTimer = (callback, ms) => {
        turns += 1;
        return setTimer(() => {
          if (turns === QUIET_TURNS) clock.lag += 100; // blocked once more, while `a` is waited for
          callback();
        }, ms);
      };
      clock.lag = 20;
      await clock.advance(50);
      expect(due.map(([item]) => item)).toEqual(['a', 'b']);
      expect(turns).toBe(2 * QUIET_TURNS);
    });

    it('does not wait forever when each turn of the loop is long', async () => {
      const { clock, due, add } = setUp();
      for (const item of ['a', 'b', 'c']) {
        add(item);
        await clock.advance(30);
      }
      const setTimer = clock.setTimer.bind(clock);
      clock.setTimer = (callback, ms) =>
        setTimer(() => {
          clock.lag += 60;
          callback();
        }, ms);
      await clock.advance(10);
      await clock.advance(100);
      expect(due.map(([item]) => item)).toEqual(['a', 'b', 'c']);
      expect(due[2]![1]).toBeLessThan(160 + 60 * (2 * QUIET_TURNS + 3));
    });

    it('does not wait when the block was short', async () => {
      const { clock, due, add } = setUp();
      add('a');
      clock.lag = 10;
      await clock.advance(100);
      expect(due).toHaveLength(1);
      expect(clock.made).toHaveLength(1);
    });
  });

  describe('with very many that are due at once', () => {
    /** Each callback blocks the loop for a millisecond. */
    function setUpSlow(): {
      clock: TestClock;
      queue: DeadlineQueue<number>;
      due: number[];
      turns: number[];
    } {
      const clock = new TestClock();
      const due: number[] = [];
      const turns: number[] = [];
      const queue = new DeadlineQueue<number>(clock, 100, (item) => {
        due.push(item);
        clock.lag += 1;
        turns[turns.length - 1]! += 1;
      });
      const setTimer = clock.setTimer.bind(clock);
      clock.setTimer = (callback, ms) =>
        setTimer(() => {
          turns.push(0);
          callback();
        }, ms);
      return { clock, queue, due, turns };
    }

    const many = Array.from({ length: 100 }, (_, i) => i);

    it('reports them in turns of 10 ms, in their order', async () => {
      const { clock, queue, due, turns } = setUpSlow();
      for (const item of many) queue.add(item, 0);
      await clock.advance(100);
      expect(due).toEqual(many);
      expect(Math.max(...turns)).toBe(10);
      expect(clock.pending).toBe(0);
    });

    it('does not report those that were removed between two turns', async () => {
      const { clock, queue, due } = setUpSlow();
      const deadlines = many.map((item) => queue.add(item, 0));
      const setTimer = clock.setTimer.bind(clock);
      clock.setTimer = (callback, ms) => {
        for (const deadline of deadlines.slice(50)) queue.remove(deadline);
        return setTimer(callback, ms);
      };
      await clock.advance(100);
      expect(due).toEqual(many.slice(0, 50));
    });

    it('accepts new ones between two turns', async () => {
      const { clock, queue, due } = setUpSlow();
      for (const item of many) queue.add(item, 0);
      const setTimer = clock.setTimer.bind(clock);
      clock.setTimer = (callback, ms) => {
        clock.setTimer = setTimer;
        queue.add(-1, clock.now());
        return setTimer(callback, ms);
      };
      await clock.advance(100);
      expect(due).toEqual(many);
      await clock.advance(100);
      expect(due).toEqual([...many, -1]);
    });

    it('goes on when a callback has thrown', async () => {
      const clock = new TestClock();
      const due: string[] = [];
      const queue = new DeadlineQueue<string>(clock, 100, (item) => {
        if (item === 'bad') throw new Error('broken');
        due.push(item);
      });
      for (const item of ['bad', 'a', 'b']) queue.add(item, 0);
      await expect(clock.advance(100)).rejects.toThrow('broken');
      await clock.advance(100);
      expect(due).toEqual(['a', 'b']);
    });
  });

  it('leaves no timer behind when it is closed', async () => {
    const { clock, due, add, queue } = setUp();
    queue.remove(add('a'));
    expect(clock.pending).toBe(1);
    queue.close();
    expect(clock.pending).toBe(0);
    const deadline = add('b');
    queue.remove(deadline);
    expect(clock.pending).toBe(0);
    add('c');
    await clock.advance(100);
    expect(due.map(([item]) => item)).toEqual(['c']);
  });

  it('keeps its deadlines when it is closed before they are due', async () => {
    const { clock, due, add, queue } = setUp();
    add('a');
    queue.close();
    await clock.advance(100);
    expect(due).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
