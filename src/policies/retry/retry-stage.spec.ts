import { HttpException } from '@nestjs/common';
import { ResilienceError } from '../../common/errors.js';
import { readOptions, settingsOf } from '../../../test/support/read-options.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import { Sleeper } from '../../pipeline/sleeper.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { constant, decorrelated, exponential } from '../backoff/backoff.js';
import type { PolicySite } from '../policy.js';
import { type RetryOptions, readRetryOptions } from './options.js';
import { RetryStage } from './retry-stage.js';
import { policyEventsOf } from '../../../test/support/heard.js';

type Work = (attempt: number) => unknown;

/** A retry around a method, a clock that only the test moves, and the events of the retry. */
class Harness {
  readonly clock = new ManualClock();
  readonly events = new ResilienceEvents();
  readonly emitted: ResilienceEvent[];
  readonly warnings: string[] = [];
  readonly sleeper = new Sleeper(this.clock);
  private readonly pipeline: Pipeline;

  constructor(options: RetryOptions = {}, { random = 0.5 } = {}) {
    const { clock, events, sleeper } = this;
    const warn = (message: string): void => void this.warnings.push(message);
    const site = { name: 'Books.list', clock, events, sleeper, warn, random: () => random };
    const settings = settingsOf(readRetryOptions, options);
    const retry = new RetryStage(settings, site as Partial<PolicySite> as PolicySite);
    this.pipeline = new Pipeline('Books.list', [retry], events);
    this.emitted = policyEventsOf(events);
  }

  call(work: Work): TestCall {
    return new TestCall(({ started }) => work(started), {
      clock: this.clock,
      interruptible: true,
    });
  }

  /** Starts a call; `outcome` has its end. */
  begin(work: Work, call = this.call(work)): { call: TestCall; outcome: Promise<unknown> } {
    const outcome = this.pipeline.run(call);
    outcome.catch(() => {});
    return { call, outcome };
  }

  /** Runs a call to its end, however long that takes; returns when attempts began. */
  async run(work: Work): Promise<{ result?: unknown; error?: unknown; starts: number[] }> {
    const starts: number[] = [];
    const { outcome } = this.begin((attempt) => {
      starts.push(this.clock.now());
      return work(attempt);
    });
    await this.clock.advance(3_600_000);
    return outcome.then(
      (result) => ({ result, starts }),
      (error: unknown) => ({ error, starts }),
    );
  }

  of<T extends ResilienceEvent['type']>(type: T): Extract<ResilienceEvent, { type: T }>[] {
    return this.emitted.filter(
      (event): event is Extract<ResilienceEvent, { type: T }> => event.type === type,
    );
  }

  get reason(): string | undefined {
    return this.of('retries-exhausted')[0]?.reason;
  }
}

const down = new Error('down');
const failing: Work = () => Promise.reject(down);
const quick = { backoff: constant(10) } as const;

class Rejection extends ResilienceError {
  constructor(code: string, retryAfterMs?: number) {
    super({
      code,
      policy: 'p',
      policyName: 'n',
      status: 503,
      title: 't',
      message: 'm',
      retryAfterMs,
    });
  }
}

describe('the retry stage', () => {
  it.each([
    [0, 1],
    [1, 2],
    [3, 4],
    [7, 8],
  ])('with %p retries calls a failing method %p times', async (maxRetries, calls) => {
    const { starts, error } = await new Harness({ ...quick, maxRetries }).run(failing);
    expect(starts).toHaveLength(calls);
    expect(error).toBe(down);
  });

  it('retries three times by default, with the waits of cenkalti/backoff', async () => {
    const harness = new Harness();
    const { starts } = await harness.run(failing);
    expect(starts).toEqual([0, 500, 1_250, 2_375]);
    expect(harness.reason).toBe('max-retries');
  });

  it('takes 16.086 s for seven retries', async () => {
    const { starts } = await new Harness({ maxRetries: 7 }).run(failing);
    expect(starts.at(-1)).toBeCloseTo(16_085.94, 1);
  });

  it('retries until maxElapsedTime when maxRetries is Infinity', async () => {
    const harness = new Harness({ backoff: constant('1m'), maxRetries: Infinity });
    const { starts } = await harness.run(failing);
    expect(starts).toHaveLength(16); // 15 min
    expect(harness.reason).toBe('max-elapsed-time');
  });

  it('does not call again after a success', async () => {
    const { starts, result } = await new Harness(quick).run((attempt) =>
      attempt < 3 ? Promise.reject(down) : 'books',
    );
    expect(result).toBe('books');
    expect(starts).toEqual([0, 10, 20]);
  });

  it('throws the error of the last attempt, unchanged', async () => {
    const errors = [1, 2, 3, 4].map((attempt) => new Error(`attempt ${attempt}`));
    const { error } = await new Harness(quick).run((attempt) =>
      Promise.reject(errors[attempt - 1]!),
    );
    expect(error).toBe(errors[3]);
  });

  it.each([
    ['a 404', new HttpException('x', 404)],
    ['a programmer error', new ReferenceError('x')],
    ['an open circuit', new Rejection('CIRCUIT_OPEN', 100)],
    ['a full bulkhead', new Rejection('BULKHEAD_FULL')],
  ])('does not retry %s', async (_what, error) => {
    const harness = new Harness(quick);
    const { starts, error: thrown } = await harness.run(() => Promise.reject(error));
    expect(starts).toHaveLength(1);
    expect(thrown).toBe(error);
    expect(harness.of('retries-exhausted')).toEqual([]);
  });

  it('retries an abort that no caller asked for: the client has given up', async () => {
    const abort = new DOMException('x', 'AbortError');
    expect((await new Harness(quick).run(() => Promise.reject(abort))).starts).toHaveLength(4);
  });

  it.each<[string, RetryOptions]>([
    ['skip', { skip: [RangeError] }],
    ['ignore', { ignore: [RangeError] }],
    ['on, which lists others only', { on: [EvalError] }],
  ])('does not retry what is in %s', async (_what, options) => {
    const error = new RangeError('x');
    const { starts } = await new Harness({ ...quick, ...options }).run(() => Promise.reject(error));
    expect(starts).toHaveLength(1);
  });

  it('retries our own timeouts', async () => {
    const { starts } = await new Harness(quick).run(() => Promise.reject(new Rejection('TIMEOUT')));
    expect(starts).toHaveLength(4);
  });

  it('retries errors in on, but not those in skip', async () => {
    const harness = (): Harness =>
      new Harness({ ...quick, on: [HttpException], skip: [RangeError] });
    const notFound = await harness().run(() => Promise.reject(new HttpException('x', 404)));
    expect(notFound.starts).toHaveLength(4);
    const skipped = await harness().run(() => Promise.reject(new RangeError('x')));
    expect(skipped.starts).toHaveLength(1);
  });

  it('retries a result that onResult rejects, and answers with the last one', async () => {
    const harness = new Harness({ ...quick, onResult: (result) => result !== 'ready' });
    expect(await harness.run((attempt) => (attempt === 2 ? 'ready' : 'later'))).toMatchObject({
      result: 'ready',
      starts: [0, 10],
    });
    const late = await harness.run(() => 'later');
    expect(late).toMatchObject({ result: 'later' });
    expect(late.starts).toHaveLength(4);
  });

  it('marks a rejected result that it returns, so that it is not kept as a good one', async () => {
    const harness = new Harness({
      ...quick,
      maxRetries: 0,
      onResult: (result) => result === 'later',
    });
    for (const [result, doubtful] of [
      ['later', true],
      ['ready', false],
    ] as const) {
      const { call, outcome } = harness.begin(() => result);
      await expect(outcome).resolves.toBe(result);
      expect(call.resultRejected).toBe(doubtful);
    }
  });

  it('retries a method that throws before it returns a promise', async () => {
    const { starts } = await new Harness(quick).run(() => {
      throw down;
    });
    expect(starts).toHaveLength(4);
  });

  describe('and the backoff', () => {
    it('gets the attempt and its error', async () => {
      const backoff = jest.fn().mockReturnValue(10);
      await new Harness({ backoff, maxRetries: 2 }).run(failing);
      expect(backoff.mock.calls).toEqual([
        [1, down],
        [2, down],
      ]);
    });

    it.each<[string, () => number]>([
      ['a negative wait', () => -1],
      ['NaN', () => NaN],
      ['an endless wait', () => Infinity],
    ])('ends the call with its error when it gives %s', async (_what, backoff) => {
      const harness = new Harness({ backoff });
      expect(await harness.run(failing)).toEqual({ error: down, starts: [0] });
      expect(harness.reason).toBe('backoff');
    });

    it('ends the call with its error and warns when it throws', async () => {
      const harness = new Harness({
        backoff: () => {
          throw new Error('broken');
        },
      });
      expect(await harness.run(failing)).toEqual({ error: down, starts: [0] });
      expect(harness.reason).toBe('backoff');
      expect(harness.warnings).toEqual([
        'Books.list: the backoff function threw Error: broken; not retried',
      ]);
    });

    it('may make it retry at once', async () => {
      const { starts } = await new Harness({ backoff: constant(0) }).run(failing);
      expect(starts).toEqual([0, 0, 0, 0]);
    });

    it('draws from the given random', async () => {
      const { starts } = await new Harness(
        { backoff: exponential({ jitter: 'full' }) },
        { random: 0.1 },
      ).run(failing);
      expect(starts[1]).toBeCloseTo(50);
    });

    it('gets the previous delay of the same call', async () => {
      const harness = new Harness(
        { backoff: decorrelated({ initialDelay: 100 }), maxRetries: 2 },
        { random: 1 },
      );
      const expected = [0, 300, 1_200];
      expect((await harness.run(failing)).starts).toEqual(expected);
      const second = await harness.run(failing);
      expect(second.starts.map((at) => at - second.starts[0]!)).toEqual(expected);
    });
  });

  describe('and Retry-After', () => {
    const asking = (value: string): unknown => ({
      response: { status: 503, headers: { 'retry-after': value } },
    });

    it.each([
      ['waits for that time', {}, 20, 20_000],
      ['waits for that time, even if the backoff is 0', { backoff: constant(0) }, 20, 20_000],
      ['waits at most a minute because of it', {}, 600, 60_000],
      ['waits at most respectRetryAfter', { respectRetryAfter: '8s' }, 20, 8_000],
      ['waits for its own delay when that is longer', { backoff: constant('30s') }, 20, 30_000],
      [
        'waits for its own delay when that is longer than the cap',
        { backoff: constant('9s'), respectRetryAfter: '8s' },
        20,
        9_000,
      ],
      ['ignores it if so configured', { respectRetryAfter: false }, 20, 10],
    ] as const)('%s', async (_what, options, seconds, ms) => {
      const harness = new Harness({ ...quick, maxRetries: 1, ...options });
      const { starts } = await harness.run(() => Promise.reject(asking(String(seconds))));
      expect(starts).toEqual([0, ms]);
    });

    it('reads a date by the wall clock', async () => {
      const harness = new Harness({ ...quick, maxRetries: 1 });
      await harness.clock.advance(5_000);
      const date = new Date(harness.clock.wall() + 7_000).toUTCString();
      const { starts } = await harness.run(() => Promise.reject(asking(date)));
      expect(starts).toEqual([5_000, 12_000]);
    });

    it('honours the wait of our own rejections, if they are retried', async () => {
      const harness = new Harness({ ...quick, maxRetries: 1, on: [Rejection] });
      const { starts } = await harness.run(() =>
        Promise.reject(new Rejection('CIRCUIT_OPEN', 700)),
      );
      expect(starts).toEqual([0, 700]);
    });

    it('ignores it in a result', async () => {
      const harness = new Harness({ ...quick, maxRetries: 1, onResult: () => true });
      const { starts } = await harness.run(() => asking('20'));
      expect(starts).toEqual([0, 10]);
    });
  });

  describe('and time', () => {
    it('begins no retry later than maxElapsedTime after the call began', async () => {
      const harness = new Harness({
        backoff: constant('1s'),
        maxRetries: 100,
        maxElapsedTime: '3s',
      });
      expect(await harness.run(failing)).toEqual({ error: down, starts: [0, 1_000, 2_000, 3_000] });
      expect(harness.reason).toBe('max-elapsed-time');
    });

    it('counts the time of the attempts themselves', async () => {
      const harness = new Harness({
        backoff: constant('1s'),
        maxRetries: 100,
        maxElapsedTime: '3s',
      });
      const slow: Work = () =>
        new Promise((_resolve, reject) => void harness.clock.setTimer(() => reject(down), 600));
      expect((await harness.run(slow)).starts).toEqual([0, 1_600]);
    });

    it('goes on after 15 minutes when maxElapsedTime is Infinity', async () => {
      const harness = new Harness({ backoff: constant('10m'), maxElapsedTime: Infinity });
      expect((await harness.run(failing)).starts).toHaveLength(4);
    });

    it('does not wait up to the deadline or past it: it ends now, with the last error', async () => {
      for (const [deadline, calls] of [
        [1_000, 1],
        [1_001, 2],
      ] as const) {
        const harness = new Harness({ backoff: constant('1s') });
        const call = harness.call(failing);
        call.deadline = deadline;
        const { outcome } = harness.begin(failing, call);
        await harness.clock.advance(0);
        if (calls === 1) await expect(outcome).rejects.toBe(down);
        await harness.clock.advance(5_000);
        await expect(outcome).rejects.toBe(down);
        expect(call.started).toBe(calls);
        expect(harness.reason).toBe('deadline');
        expect(harness.clock.pending).toBe(0);
      }
    });
  });

  describe('and the caller', () => {
    const gone = new Error('gone');

    it('who leaves ends the wait at once: no timer, no further attempt, the reason as the error', async () => {
      const harness = new Harness({ backoff: constant('10s') });
      const { call, outcome } = harness.begin(failing);
      await harness.clock.advance(1_000);
      expect(harness.clock.pending).toBe(1);
      call.abort(gone);
      expect(harness.clock.pending).toBe(0);
      await expect(outcome).rejects.toBe(gone);
      await harness.clock.advance(60_000);
      expect(call.started).toBe(1);
      expect(harness.sleeper.size).toBe(0);
      expect(harness.of('retries-exhausted')).toEqual([]);
    });

    it('who leaves during an attempt gets no other', async () => {
      const harness = new Harness(quick);
      const { call, outcome } = harness.begin(() => new Promise(() => {}));
      call.abort(gone);
      await expect(outcome).rejects.toBe(gone);
      expect(call.started).toBe(1);
      expect(harness.of('retry')).toEqual([]);
    });

    it('who wants no further attempt gets the error', async () => {
      const harness = new Harness(quick);
      const call = harness.call(failing);
      call.wanted = false;
      const { outcome } = harness.begin(failing, call);
      await expect(outcome).rejects.toBe(down);
      expect(call.started).toBe(1);
      expect(harness.reason).toBe('answered');
    });
  });

  describe('and an application that closes', () => {
    it('ends every wait with the last error', async () => {
      const harness = new Harness({ backoff: constant('10s') });
      const { call, outcome } = harness.begin(failing);
      await harness.clock.advance(1_000);
      harness.sleeper.close();
      await expect(outcome).rejects.toBe(down);
      expect(call.started).toBe(1);
      expect(harness.reason).toBe('shutdown');
      expect(harness.clock.pending).toBe(0);
    });

    it('begins no wait', async () => {
      const harness = new Harness(quick);
      harness.sleeper.close();
      const { outcome } = harness.begin(failing);
      await expect(outcome).rejects.toBe(down);
      expect(harness.reason).toBe('shutdown');
    });
  });

  it('emits events of each retry and of the end', async () => {
    const harness = new Harness({ backoff: exponential({ jitter: 'none' }), maxRetries: 2 });
    await harness.run(failing);
    expect(harness.emitted.filter(({ type }) => type !== 'attempt')).toEqual([
      { type: 'retry', name: 'Books.list', attempt: 1, delayMs: 500, error: down },
      { type: 'retry', name: 'Books.list', attempt: 2, delayMs: 750, error: down },
      {
        type: 'retries-exhausted',
        name: 'Books.list',
        attempts: 3,
        reason: 'max-retries',
        error: down,
      },
    ]);
  });

  it('measures its time from the start of the call', async () => {
    const harness = new Harness({ backoff: constant('1s'), maxElapsedTime: '1s' });
    await harness.clock.advance(60_000);
    const { starts } = await harness.run(failing);
    expect(starts).toEqual([60_000, 61_000]);
  });
});

describe('the options of a retry', () => {
  const settle = (options: RetryOptions) => readOptions(readRetryOptions, options);

  it('have defaults', () => {
    expect(settle({})).toEqual([
      expect.objectContaining({ maxRetries: 3, maxElapsedTime: 900_000, retryAfterCap: 60_000 }),
      [],
    ]);
  });

  it.each<[RetryOptions['respectRetryAfter'], number]>([
    [true, 60_000],
    [false, 0],
    ['5s', 5_000],
  ])('cap the Retry-After: %p means %p ms', (respectRetryAfter, retryAfterCap) => {
    expect(settle({ respectRetryAfter })).toEqual([expect.objectContaining({ retryAfterCap }), []]);
  });

  it.each<[string, object, string]>([
    ['negative retries', { maxRetries: -1 }, 'maxRetries is -1; use a whole number of at least 0'],
    ['half a retry', { maxRetries: 1.5 }, 'maxRetries is 1.5; use a whole number of at least 0'],
    [
      'an unknown option',
      { retries: 3 },
      'retries is not an option; the options are maxRetries, backoff, maxElapsedTime, respectRetryAfter, ignore, skip, on, onResult',
    ],
    [
      'a bad Retry-After',
      { respectRetryAfter: 'yes' },
      `respectRetryAfter is 'yes'; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' of at least 0`,
    ],
    [
      'a bad time',
      { maxElapsedTime: 'long' },
      `maxElapsedTime is 'long'; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' of at least 0, or Infinity`,
    ],
  ])('must not have %s', (_what, options, problem) => {
    expect(settle(options)[1]).toEqual([problem]);
  });
});
