import { Harness } from '../../../test/support/bulkhead.js';
import { hostProcess } from '../../../test/support/process.js';
import { settle } from '../../../test/support/wait.js';
import { BulkheadFullError } from './bulkhead-full-error.js';

describe('calls that wait for a place', () => {
  it('get one in the order of their arrival', async () => {
    const harness = new Harness({ maxConcurrent: 2, maxQueue: 4 });
    const places = [harness.take(), harness.take()];
    for (const name of ['a', 'b', 'c', 'd']) places.push(harness.wait(name));
    for (const place of places) {
      harness.giveBack(place);
      await settle();
    }
    expect(harness.log).toEqual(['a', 'b', 'c', 'd']);
    expect(harness.counts).toEqual([0, 0, 0]);
  });

  it('get one each, and only when it has become free', async () => {
    const harness = new Harness({ maxConcurrent: 2, maxQueue: 3 });
    const places = [harness.take(), harness.take()];
    for (const name of ['a', 'b', 'c']) harness.wait(name);
    await settle();
    expect(harness.log).toEqual([]);
    harness.giveBack(places[1]!);
    await settle();
    expect(harness.log).toEqual(['a']);
    expect(harness.counts).toEqual([2, 2, 0]);
  });

  it('hold it from the moment at which it became free: a newcomer cannot take it', async () => {
    const harness = new Harness({ maxQueue: 1 });
    const place = harness.take();
    harness.wait('first');
    harness.giveBack(place);
    // no call has been notified yet
    expect(harness.log).toEqual([]);
    expect(harness.counts).toEqual([1, 0, 0]);
    harness.wait('newcomer');
    expect(() => harness.take()).toThrow(BulkheadFullError);
    await settle();
    expect(harness.log).toEqual(['first']);
  });

  it('are never more than maxQueue', () => {
    const harness = new Harness({ maxQueue: 2 });
    harness.take();
    harness.wait('a');
    harness.wait('b');
    expect(harness.rejection().reason).toBe('full');
    expect(harness.counts).toEqual([1, 2, 1]);
  });

  it.each([
    ['first', 'a', ['b', 'c', 'd']],
    ['in the middle', 'b', ['a', 'c', 'd']],
    ['last', 'c', ['a', 'b', 'd']],
  ])('may leave the queue, which keeps its order: the %s', async (_where, leaver, left) => {
    const harness = new Harness({ maxQueue: 3 });
    let place = harness.take();
    const waiters = new Map(['a', 'b', 'c'].map((name) => [name, harness.wait(name)]));
    harness.giveBack(waiters.get(leaver)!);
    expect(harness.counts).toEqual([1, 2, 0]);
    waiters.delete(leaver);
    waiters.set('d', harness.wait('d')); // its place in the queue is free
    expect(harness.rejection().reason).toBe('full');
    for (const waiter of waiters.values()) {
      harness.giveBack(place);
      place = waiter;
      await settle();
    }
    harness.giveBack(place);
    expect(harness.log).toEqual(left);
    expect(harness.counts).toEqual([0, 0, 1]);
  });

  it('may all leave, and make room for others', async () => {
    const harness = new Harness({ maxQueue: 2 });
    const place = harness.take();
    for (const waiter of [harness.wait('a'), harness.wait('b')]) harness.giveBack(waiter);
    expect(harness.counts).toEqual([1, 0, 0]);
    harness.wait('c');
    harness.giveBack(place);
    await settle();
    expect(harness.log).toEqual(['c']);
  });

  it('may leave with a place, which goes to the next call', async () => {
    const harness = new Harness({ maxQueue: 2 });
    const place = harness.take();
    const [first] = [harness.wait('first'), harness.wait('second')];
    harness.giveBack(place);
    harness.giveBack(first); // before it has been told
    expect(harness.counts).toEqual([1, 0, 0]);
    await settle();
    expect(harness.log).toEqual(['first', 'second']);
    expect(() => harness.wait('third')).not.toThrow();
  });

  it('may leave with a place, which is free when no call is next', () => {
    const harness = new Harness({ maxQueue: 1 });
    const place = harness.take();
    const waiter = harness.wait('a');
    harness.giveBack(place);
    harness.giveBack(waiter);
    expect(harness.counts).toEqual([0, 0, 0]);
  });

  it('cause an event when they get a place, with the time that they have waited', async () => {
    const harness = new Harness({ maxQueue: 2 });
    const place = harness.take();
    const first = harness.wait('a');
    await harness.clock.advance(30);
    harness.wait('b');
    await harness.clock.advance(70);
    harness.giveBack(place);
    await harness.clock.advance(5);
    harness.giveBack(first);
    expect(harness.emitted).toEqual([
      { type: 'queued', name: 'storagesvc', waitedMs: 100 },
      { type: 'queued', name: 'storagesvc', waitedMs: 75 },
    ]);
  });

  it('cause no event when they leave or did not have to wait', () => {
    const harness = new Harness({ maxQueue: 1 });
    const place = harness.take();
    harness.giveBack(harness.wait('a'));
    harness.giveBack(place);
    expect(harness.emitted).toEqual([]);
  });

  it('need no timer without maxWait', () => {
    const harness = new Harness({ maxQueue: 1 });
    harness.take();
    harness.wait('a');
    expect(harness.clock.pending).toBe(0);
  });
});

describe('maxWait', () => {
  const given = { maxQueue: 3, maxWait: 100 };

  it('ends the wait of each call when its time is up', async () => {
    const harness = new Harness(given);
    harness.take();
    harness.wait('a');
    await harness.clock.advance(40);
    harness.wait('b');
    await harness.clock.advance(59);
    expect(harness.log).toEqual([]);
    await harness.clock.advance(1);
    expect(harness.log).toEqual(['a: max-wait']);
    expect(harness.counts).toEqual([1, 1, 1]);
    await harness.clock.advance(40);
    expect(harness.log).toEqual(['a: max-wait', 'b: max-wait']);
    expect(harness.counts).toEqual([1, 0, 2]);
  });

  it('causes a rejection like any other, and an event', async () => {
    const harness = new Harness(given);
    harness.take();
    const { ready } = harness.wait('a');
    const ended = ready.catch((error: unknown) => error);
    await harness.clock.advance(100);
    const error = await ended;
    expect(error).toBeInstanceOf(BulkheadFullError);
    expect(error).toMatchObject({
      code: 'BULKHEAD_FULL',
      reason: 'max-wait',
      retryAfterMs: 1_000,
      message: 'bulkhead "storagesvc" had no free place within maxWait',
    });
    expect(harness.emitted).toEqual([
      {
        type: 'rejected',
        name: 'storagesvc',
        policy: 'bulkhead',
        code: 'BULKHEAD_FULL',
        retryAfterMs: 1_000,
      },
    ]);
  });

  it('makes room in the queue', async () => {
    const harness = new Harness({ maxQueue: 1, maxWait: 100 });
    const place = harness.take();
    harness.wait('a');
    await harness.clock.advance(100);
    harness.wait('b');
    harness.giveBack(place);
    await settle();
    expect(harness.log).toEqual(['a: max-wait', 'b']);
  });

  it('has nothing to give back for calls that it rejected', async () => {
    const harness = new Harness(given);
    harness.take();
    const waiter = harness.wait('a');
    await harness.clock.advance(100);
    harness.giveBack(waiter);
    expect(harness.counts).toEqual([1, 0, 1]);
  });

  it('does not affect calls with a place', async () => {
    const harness = new Harness(given);
    const place = harness.take();
    const waiter = harness.wait('a');
    await harness.clock.advance(99);
    harness.giveBack(place);
    await harness.clock.advance(1_000);
    expect(harness.log).toEqual(['a']);
    harness.giveBack(waiter);
    expect(harness.counts).toEqual([0, 0, 0]);
  });

  it('does not affect calls that have left', async () => {
    const harness = new Harness(given);
    harness.take();
    harness.giveBack(harness.wait('a'));
    await harness.clock.advance(1_000);
    expect(harness.log).toEqual([]);
    expect(harness.counts).toEqual([1, 0, 0]);
  });

  it('begins when a call has to wait: until then there is no timer, then one for all', async () => {
    const harness = new Harness(given);
    const setTimer = jest.spyOn(harness.clock, 'setTimer');
    const place = harness.take();
    expect(setTimer).not.toHaveBeenCalled();
    for (const name of ['a', 'b', 'c']) harness.wait(name);
    harness.giveBack(place);
    expect(setTimer).toHaveBeenCalledTimes(1);
    await harness.clock.advance(100);
    expect(harness.log).toEqual(['a', 'b: max-wait', 'c: max-wait']);
    expect(harness.clock.pending).toBe(0);
  });
});

describe('a bulkhead that is closed', () => {
  it('rejects all waiting calls at once', async () => {
    const harness = new Harness({ maxQueue: 3, maxWait: 100 });
    harness.take();
    const waiters = ['a', 'b', 'c'].map((name) => harness.wait(name));
    harness.bulkhead.close();
    await settle();
    expect(harness.log).toEqual(['a: closing', 'b: closing', 'c: closing']);
    await expect(waiters[0]!.ready).rejects.toMatchObject({
      code: 'BULKHEAD_FULL',
      reason: 'closing',
      message: 'bulkhead "storagesvc" is full, and no call may queue: the application is closing',
      retryAfterMs: undefined, // not by this process
    });
    expect(harness.counts).toEqual([1, 0, 3]);
    expect(harness.emitted.map(({ type }) => type)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  it('leaves no timer behind', () => {
    const waiting = new Harness({ maxQueue: 3, maxWait: 100 });
    waiting.take();
    waiting.wait('a');
    expect(waiting.clock.pending).toBe(1);
    waiting.bulkhead.close();
    expect(waiting.clock.pending).toBe(0);
    const resting = new Harness({ maxQueue: 3, maxWait: 100 });
    const place = resting.take();
    resting.wait('a');
    resting.giveBack(place);
    resting.bulkhead.close();
    expect(resting.clock.pending).toBe(0);
  });

  it('lets no call wait any more, and sets no timer', () => {
    const harness = new Harness({ maxQueue: 3, maxWait: 100 });
    harness.take();
    harness.bulkhead.close();
    expect(harness.rejection()).toMatchObject({ reason: 'closing', retryAfterMs: undefined });
    expect(harness.clock.pending).toBe(0);
  });

  it('still has places for work at shutdown, and takes them back', () => {
    const harness = new Harness({ maxConcurrent: 2, maxQueue: 1 });
    const before = harness.take();
    harness.bulkhead.close();
    const after = harness.take();
    expect(() => harness.take()).toThrow(BulkheadFullError);
    for (const place of [before, after]) harness.giveBack(place);
    expect(harness.counts).toEqual([0, 0, 1]);
  });

  it('does not affect calls that have just got their place', async () => {
    const harness = new Harness({ maxQueue: 2 });
    const place = harness.take();
    harness.wait('a');
    harness.wait('b');
    harness.giveBack(place);
    harness.bulkhead.close();
    await settle();
    expect(harness.log).toEqual(['a', 'b: closing']);
    expect(harness.counts).toEqual([1, 0, 1]);
  });

  it('leaves no unhandled rejection of calls that left before', async () => {
    const unhandled = jest.fn();
    hostProcess.on('unhandledRejection', unhandled);
    try {
      const harness = new Harness({ maxQueue: 1, maxWait: 100 });
      harness.take();
      harness.giveBack(harness.take()); // waits; its outcome does not matter
      harness.bulkhead.close();
      await harness.clock.advance(1_000);
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      hostProcess.off('unhandledRejection', unhandled);
    }
  });
});
