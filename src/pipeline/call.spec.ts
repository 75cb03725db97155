import { ResilienceError } from '../common/errors.js';
import { TestCall } from '../../test/support/test-call.js';
import type { OutcomeRule } from '../common/outcomes/outcome.js';
import { StreamResult } from '../common/outcomes/stream-result.js';
import { ManualClock } from '../testing/index.js';
import { Call } from './call.js';
import { tellNotLive } from './liveness.js';

class Timeout extends ResilienceError {
  constructor() {
    super({ code: 'TIMEOUT', policy: 'p', policyName: 'n', status: 504, title: 't', message: 'm' });
  }
}

const gone = new Error('gone');

/** A call that says no more of itself than it has to. */
class BareCall extends Call {
  protected override perform(): unknown {
    return 'books';
  }
  protected override performInstead(): unknown {
    return undefined;
  }
}

describe('a call that begins', () => {
  it('is live, has no outcome yet, and nobody may stop it or keeps what comes of it', () => {
    expect(new BareCall([], new ManualClock())).toMatchObject({
      attempt: 1,
      failed: false,
      value: undefined,
      error: undefined,
      streaming: false,
      source: 'live',
      resultRejected: false,
      keepsResults: false,
      interruptible: false,
      interrupted: false,
      cancelled: false,
      deadline: Infinity,
    });
  });

  it('has no streams for results unless it says so', () => {
    class Stream extends StreamResult {}
    const call = new BareCall([], new ManualClock());
    call.succeed(new Stream());
    expect(call.streaming).toBe(false);
  });

  it('has each attempt watched when its results are kept, whether it holds something or not', () => {
    for (const holds of [false, true]) {
      const call = new TestCall(() => tellNotLive('fallback'));
      call.keepsResults = true;
      if (holds) call.hold({});
      call.start();
      expect(call.liveness?.live).toBe(false);
    }
    const call = new TestCall(() => tellNotLive('fallback'));
    call.start();
    expect(call.liveness).toBeUndefined();
  });
});

describe('how a call has ended', () => {
  const rule: OutcomeRule = { ofError: () => 'failure', ofResult: () => 'success' };

  it('is a success with a result, also when it was stopped for being slow', () => {
    const call = new TestCall();
    call.succeed('books');
    expect(call.outcomeBy(rule)).toBe('success');
    call.interrupt(2, new Timeout());
    expect(call.outcomeBy(rule)).toBe('success');
  });

  it('is nothing when its caller has gone, whether it has a result or an error', () => {
    const [answered, failed] = [new TestCall(), new TestCall()];
    answered.succeed('books');
    answered.abort(gone);
    expect(answered.outcomeBy(rule)).toBe('ignored');
    failed.fail(new Error('down'));
    expect(failed.outcomeBy(rule)).toBe('failure');
    failed.abort(gone);
    expect(failed.outcomeBy(rule)).toBe('ignored');
  });

  it('says nothing of signals among its arguments as long as it has not failed', () => {
    const call = new TestCall(() => 1, { args: [AbortSignal.abort(gone)] });
    expect(call.callerHasGone).toBe(false);
    call.fail(gone);
    expect(call.callerHasGone).toBe(true);
  });

  it('may be told, once, where it is told of the interruption by that error', () => {
    const call = new TestCall();
    const tell = jest.fn();
    call.whenInterruptedBy(gone, tell);
    expect(call.reasonOr(gone)).toBe(gone);
    call.abort(gone);
    call.whenInterruptedBy(new Error('another'), tell);
    expect(call.reasonOr(new Error('later'))).toBe(gone);
    expect(tell).not.toHaveBeenCalled();
    call.whenInterruptedBy(gone, tell);
    call.reasonOr(gone);
    call.reasonOr(gone);
    expect(tell).toHaveBeenCalledTimes(1);
  });
});

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

  it('of the next attempt is not aborted, though it was asked for in between', () => {
    const call = new TestCall();
    call.interrupt(2, new Error('slow'));
    expect(call.signal.aborted).toBe(true);
    call.resumeAt(2);
    call.beginAttempt();
    expect(call.signal.aborted).toBe(false);
  });

  it('is aborted after the call is interrupted, so that listeners see it interrupted', () => {
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
    const stop = jest.fn();
    call.stoppable = { stop };
    const wait = call.interruptibly(new Promise(() => {}));
    call.abort(gone);
    await expect(wait).rejects.toBe(gone);
    expect(stop).toHaveBeenCalledTimes(1);
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

  it('remembers work that goes on, and only such', () => {
    const call = new TestCall();
    const work = Promise.resolve('its result');
    call.track(work);
    expect(call.runningWork).toBe(work);
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
