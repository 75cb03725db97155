import { ResilienceError } from '../common/errors.js';
import { TestCall } from '../../test/support/test-call.js';
import { isPromiseLike } from './call.js';

class Timeout extends ResilienceError {
  constructor() {
    super({ code: 'TIMEOUT', policy: 'p', policyName: 'n', status: 504, title: 't', message: 'm' });
  }
}

const gone = new Error('gone');

describe('the signal of a call', () => {
  it('is made when it is first asked for, once', () => {
    let made = 0;
    class CountedController extends AbortController {
      constructor() {
        super();
        made += 1;
      }
    }
    globalThis.AbortController = CountedController;
    try {
      const call = new TestCall();
      call.beginAttempt();
      call.abort(gone);
      expect(made).toBe(0);
      const other = new TestCall();
      expect(other.signal).toBe(other.signal);
      expect(made).toBe(1);
    } finally {
      globalThis.AbortController = Object.getPrototypeOf(
        CountedController,
      ) as typeof AbortController;
    }
  });

  it('is aborted with the reason when the call is interrupted', () => {
    const call = new TestCall();
    const { signal } = call;
    expect(signal.aborted).toBe(false);
    call.abort(gone);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(gone);
  });

  it('is aborted from the start when it is asked for too late', () => {
    const call = new TestCall();
    call.abort(gone);
    expect(call.signal.aborted).toBe(true);
    expect(call.signal.reason).toBe(gone);
  });

  it('is another one for the attempt after an aborted one', () => {
    const call = new TestCall();
    const first = call.signal;
    call.interrupt(2, new Error('slow'));
    call.resumeAt(2);
    call.beginAttempt();
    expect(call.signal).not.toBe(first);
    expect(call.signal.aborted).toBe(false);
  });

  it('of the next attempt is not aborted, though somebody has asked for it in between', () => {
    const call = new TestCall();
    call.interrupt(2, new Error('slow'));
    expect(call.signal.aborted).toBe(true);
    call.resumeAt(2);
    call.beginAttempt();
    expect(call.signal.aborted).toBe(false);
  });

  it('is aborted after the call is told, so that listeners see it interrupted', () => {
    const call = new TestCall();
    let interrupted: boolean | undefined;
    call.signal.addEventListener('abort', () => (interrupted = call.interrupted));
    call.abort(gone);
    expect(interrupted).toBe(true);
  });
});

describe('an interruption of a call', () => {
  it('ends its wait, and tells who has something to undo', async () => {
    const call = new TestCall();
    call.onInterrupt = jest.fn();
    const wait = call.interruptibly(new Promise(() => {}));
    call.abort(gone);
    await expect(wait).rejects.toBe(gone);
    expect(call.onInterrupt).toHaveBeenCalledTimes(1);
  });

  it('ends at once a wait that begins later', async () => {
    const call = new TestCall();
    call.abort(gone);
    await expect(call.interruptibly(new Promise(() => {}))).rejects.toBe(gone);
    expect(() => call.beginAttempt()).toThrow(gone);
    expect(() => call.throwIfInterrupted()).toThrow(gone);
  });

  it('is over where it began, and nowhere else', () => {
    const call = new TestCall();
    call.interrupt(2, gone);
    expect([3, 2, 1].map((level) => call.isGivenUp(level))).toEqual([true, false, false]);
    call.resumeAt(3);
    expect(call.interrupted).toBe(true);
    call.resumeAt(2);
    expect(call.interrupted).toBe(false);
    call.throwIfInterrupted();
  });

  it('keeps its first error when it comes again, from the same place or further in', () => {
    const call = new TestCall();
    call.interrupt(2, gone);
    call.interrupt(2, new Error('again'));
    call.interrupt(3, new Error('inside'));
    expect(() => call.throwIfInterrupted()).toThrow(gone);
  });

  it('says nothing about anybody, unless it is for time', () => {
    const [aborted, late, limited] = [new TestCall(), new TestCall(), new TestCall()];
    expect(aborted.cancelled).toBe(false);
    aborted.abort(gone);
    late.abort(new Timeout());
    limited.interrupt(0, gone);
    expect([aborted, late, limited].map(({ cancelled }) => cancelled)).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('a call', () => {
  it('has one outcome, the last', () => {
    const call = new TestCall();
    call.fail(gone);
    call.succeed(1);
    expect(call).toMatchObject({ failed: false, value: 1, error: undefined });
    call.fail(gone);
    expect(call).toMatchObject({ failed: true, value: undefined, error: gone });
  });

  it('wants another attempt, by default', () => {
    expect(new TestCall().wantsAnotherAttempt()).toBe(true);
  });

  it('remembers the end of work that goes on, and only such', async () => {
    const call = new TestCall();
    call.track(Promise.resolve('its result'));
    await expect(call.runningWork).resolves.toBeUndefined();
    const onFailure = jest.fn();
    call.track(Promise.reject(gone), onFailure);
    await expect(call.runningWork).rejects.toBe(gone);
    expect(onFailure).toHaveBeenCalledTimes(1);
    call.track(7);
    expect(call.runningWork).toBeUndefined();
  });
});

describe('work that goes on after an attempt', () => {
  it('is remembered for the stages outside of the one that repeats, tracked or abandoned', async () => {
    const call = new TestCall();
    let end!: () => void;
    call.track(new Promise<void>((resolve) => (end = resolve)));
    call.beginAgain(1, true);
    call.beginAttempt();
    expect(call.unfinishedWork(2)).toBeUndefined();
    const left = jest.fn();
    void Promise.resolve(call.unfinishedWork(0)).then(left);
    await new Promise(setImmediate);
    expect(left).not.toHaveBeenCalled();
    end();
    await new Promise(setImmediate);
    expect(left).toHaveBeenCalledTimes(1);
  });

  it('is let go of when no stage asks for it', () => {
    const call = new TestCall();
    call.abandon(Promise.resolve('large'));
    call.beginAgain(1, false);
    call.beginAttempt();
    expect(call.unfinishedWork(0)).toBeUndefined();
  });
});

describe('isPromiseLike', () => {
  it.each([
    [Promise.resolve(), true],
    [{ then: () => {} }, true],
    [{ then: 1 }, false],
    [null, false],
    [undefined, false],
    ['then', false],
  ])('%p: %p', (value, expected) => {
    expect(isPromiseLike(value)).toBe(expected);
  });
});
