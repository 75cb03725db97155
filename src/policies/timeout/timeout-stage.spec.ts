import { hostProcess } from '../../../test/support/process.js';
import { isResilienceError } from '../../common/errors.js';
import { readOptions } from '../../../test/support/read-options.js';
import type { Call } from '../../pipeline/call.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import { AGAIN, type Reaction, Stage } from '../../pipeline/stage.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall, type Work } from '../../../test/support/test-call.js';
import type { PolicySite } from '../policy.js';
import { timeoutPolicy } from './timeout.policy.js';
import { type TimeoutOptions, readTimeoutOptions } from './options.js';
import { TimeoutError } from './timeout-error.js';
import { TimeoutStage } from './timeout-stage.js';
import { Remembered } from '../../../test/support/let-go.js';
import { policyEventsOf } from '../../../test/support/heard.js';
import { until } from '../../../test/support/wait.js';

/** Tries again as long as attempts fail, up to so many times, with such a wait. */
class Again extends Stage {
  constructor(
    private readonly times: number,
    private readonly wait: () => Promise<void> = () => Promise.resolve(),
  ) {
    super();
  }

  override async react(call: Call): Promise<Reaction> {
    if (!call.failed || call.attempt >= this.times) return;
    await this.wait();
    return AGAIN;
  }
}

class Harness {
  readonly clock = new ManualClock();
  readonly events = new ResilienceEvents();
  readonly emitted: ResilienceEvent[];
  readonly closers: (() => void)[] = [];

  constructor(attempts = false) {
    this.emitted = policyEventsOf(this.events, attempts);
  }

  stage(scope: 'attempt' | 'total', ms: number): TimeoutStage {
    const { clock, events } = this;
    const onClose = (callback: () => void): (() => void) => {
      this.closers.push(callback);
      return () => void this.closers.splice(this.closers.indexOf(callback), 1);
    };
    const site = { name: 'Books.list', clock, events, onClose };
    return new TimeoutStage(scope, ms, site as Partial<PolicySite> as PolicySite);
  }

  call(work: Work): TestCall {
    return new TestCall(work, { clock: this.clock });
  }

  /** How a call ends, and when. */
  async run(
    stages: readonly Stage[],
    work: Work | TestCall,
  ): Promise<{ result?: unknown; error?: unknown; at: number }> {
    const call = typeof work === 'function' ? this.call(work) : work;
    const { clock } = this;
    const end = new Pipeline('Books.list', stages, this.events).run(call).then(
      (result) => ({ result, at: clock.now() }),
      (error: unknown) => ({ error, at: clock.now() }),
    );
    await clock.advance(100_000);
    return end;
  }

  after<T>(ms: number, value: T): Promise<T> {
    return new Promise((resolve) => void this.clock.setTimer(() => resolve(value), ms));
  }
}

const hanging: Work = () => new Promise(() => {});

it('is not kept alive by the list of those to close', async () => {
  const harness = new Harness();
  const stages = new Remembered();
  const use = (): void => {
    for (let count = 0; count < 10; count++) stages.add(harness.stage('attempt', 1_000));
  };
  use();
  expect(harness.closers).toHaveLength(10);
  expect(await stages.left(1)).toBeLessThanOrEqual(1);
  await until(() => harness.closers.length <= 1); // those of finalizers, later than the collection
});

describe('the timeout stage', () => {
  it('ends a call on time, although its work goes on', async () => {
    const harness = new Harness();
    const { error, at } = await harness.run([harness.stage('attempt', 250)], () =>
      harness.after(10_000, 'late'),
    );
    expect(at).toBe(250);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      policy: 'timeout',
      policyName: 'Books.list',
      scope: 'attempt',
      timeoutMs: 250,
      message: 'Books.list took longer than 250 ms',
    });
    expect((error as TimeoutError).getStatus()).toBe(504);
    expect((error as TimeoutError).getResponse()).toEqual({
      statusCode: 504,
      message: 'Gateway Timeout',
      error: 'Gateway Timeout',
      code: 'TIMEOUT',
    });
  });

  it('does not affect a call that ends in time, and leaves its timer without a task', async () => {
    const harness = new Harness(true);
    const { result, at } = await harness.run([harness.stage('total', 250)], () =>
      harness.after(249, 'books'),
    );
    expect({ result, at }).toEqual({ result: 'books', at: 249 });
    expect(harness.emitted.map(({ type }) => type)).toEqual(['attempt']);
  });

  it('passes on the error of a call that fails in time', async () => {
    const harness = new Harness();
    const down = new Error('down');
    expect(await harness.run([harness.stage('attempt', 250)], () => Promise.reject(down))).toEqual({
      error: down,
      at: 0,
    });
  });

  it('aborts the signal of the call with its error', async () => {
    const harness = new Harness();
    let signal: AbortSignal | undefined;
    const { error } = await harness.run([harness.stage('attempt', 250)], (call) => {
      signal = call.signal;
      return new Promise(() => {});
    });
    expect(signal!.aborted).toBe(true);
    expect(signal!.reason).toBe(error);
  });

  it('is the error, even if the work rejects at once when its signal is aborted', async () => {
    const harness = new Harness();
    const { error } = await harness.run(
      [harness.stage('attempt', 250)],
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
        }),
    );
    expect(isResilienceError(error, 'TIMEOUT')).toBe(true);
  });

  it('does not hide a foreign abort behind a timeout', async () => {
    const harness = new Harness();
    const aborted = new DOMException('aborted', 'AbortError');
    expect(
      await harness.run([harness.stage('attempt', 250)], () => Promise.reject(aborted)),
    ).toMatchObject({ error: aborted });
  });

  it('drops a late result without an unhandled rejection', async () => {
    const unhandled = jest.fn();
    hostProcess.on('unhandledRejection', unhandled);
    try {
      const harness = new Harness();
      const late = harness.after(10_000, undefined).then(() => Promise.reject(new Error('late')));
      const { error } = await harness.run([harness.stage('attempt', 250)], () => late);
      expect(error).toBeInstanceOf(TimeoutError);
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      hostProcess.off('unhandledRejection', unhandled);
    }
  });

  it('emits an event, and another one when the work ends late', async () => {
    const harness = new Harness(true);
    const { error } = await harness.run([harness.stage('total', 250)], () =>
      harness.after(400, 'late'),
    );
    const attempt = { name: 'Books.list', attempt: 1 };
    expect(harness.emitted).toEqual([
      { type: 'timeout', ...attempt, scope: 'total', afterMs: 250 },
      { type: 'attempt', ...attempt, outcome: 'failure', durationMs: 250, error },
      { type: 'late', name: 'Books.list', attempt: 1, outcome: 'success', durationMs: 400 },
    ]);
  });

  it('gives each attempt its own time, and its own signal', async () => {
    const harness = new Harness();
    const signals: AbortSignal[] = [];
    const { result, at } = await harness.run(
      [new Again(3), harness.stage('attempt', 100)],
      (call) => {
        signals.push(call.signal);
        return call.attempt < 3 ? new Promise(() => {}) : harness.after(99, 'books');
      },
    );
    expect({ result, at }).toEqual({ result: 'books', at: 299 });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false]);
  });

  it('bounds all attempts and the waits between them as a total', async () => {
    const harness = new Harness();
    const stages = [harness.stage('total', 250), new Again(100), harness.stage('attempt', 100)];
    const { error, at } = await harness.run(stages, hanging);
    expect(at).toBe(250);
    expect(error).toMatchObject({
      scope: 'total',
      timeoutMs: 250,
      message: 'Books.list took longer than 250 ms in total',
    });
    const waiting = new Harness();
    const slow = new Again(100, () => waiting.after(10_000, undefined));
    const second = await waiting.run([waiting.stage('total', 250), slow], () =>
      Promise.reject(new Error('x')),
    );
    expect(second).toMatchObject({ at: 250, error: { scope: 'total' } });
  });

  describe('of the whole call has as its cause', () => {
    const down = new Error('down');

    it('the error of the last attempt, when the next one is running', async () => {
      const harness = new Harness();
      const stages = [harness.stage('total', 250), new Again(100)];
      const { error } = await harness.run(stages, (call) =>
        call.attempt < 3 ? harness.after(50, 0).then(() => Promise.reject(down)) : hanging(call),
      );
      expect((error as Error).cause).toBe(down);
    });

    it('the error of the last attempt, when the retry is waiting', async () => {
      const harness = new Harness();
      const slow = new Again(100, () => harness.after(10_000, undefined));
      const { error } = await harness.run([harness.stage('total', 250), slow], () =>
        Promise.reject(down),
      );
      expect((error as Error).cause).toBe(down);
    });

    it('the timeout of an attempt', async () => {
      const harness = new Harness();
      const stages = [harness.stage('total', 250), new Again(100), harness.stage('attempt', 100)];
      const { error } = await harness.run(stages, hanging);
      expect((error as Error).cause).toMatchObject({ scope: 'attempt' });
      expect(((error as Error).cause as Error).cause).toBeUndefined();
    });

    it('nothing when none has ended', async () => {
      const harness = new Harness();
      const { error } = await harness.run([harness.stage('total', 250)], hanging);
      expect((error as Error).cause).toBeUndefined();
    });
  });

  it('of an attempt has no cause', async () => {
    const harness = new Harness();
    const { error } = await harness.run([new Again(2), harness.stage('attempt', 100)], (call) =>
      call.attempt === 1 ? Promise.reject(new Error('down')) : hanging(call),
    );
    expect((error as Error).cause).toBeUndefined();
  });

  it('of the whole call takes precedence over one of an attempt that ends at the same time', async () => {
    const harness = new Harness();
    const call = harness.call(hanging);
    const stages = [harness.stage('total', 200), new Again(100), harness.stage('attempt', 100)];
    const { error, at } = await harness.run(stages, call);
    expect({ at, scope: (error as TimeoutError).scope }).toEqual({ at: 200, scope: 'total' });
    expect(call.attempt).toBe(2);
  });

  it('yields to a caller who leaves first', async () => {
    const harness = new Harness();
    const gone = new Error('gone');
    const call = harness.call(hanging);
    harness.clock.setTimer(() => call.abort(gone), 100);
    expect(await harness.run([harness.stage('attempt', 250)], call)).toEqual({
      error: gone,
      at: 100,
    });
    expect(harness.emitted.filter(({ type }) => type === 'timeout')).toEqual([]);
  });

  it('yields to a caller who leaves because of it', async () => {
    const harness = new Harness();
    const gone = new Error('gone');
    const { error } = await harness.run([new Again(5), harness.stage('attempt', 250)], (call) => {
      call.signal.addEventListener('abort', () => call.abort(gone));
      return new Promise(() => {});
    });
    expect(error).toBe(gone);
  });

  it('sets the deadline of the call for the stages inside, and restores it for those outside', async () => {
    const harness = new Harness();
    const seen: number[] = [];
    class Look extends Stage {
      override enter(call: Call): undefined {
        seen.push(call.deadline);
      }

      override exit(call: Call): void {
        seen.push(call.deadline);
      }
    }
    const stages = [
      new Look(),
      harness.stage('total', 500),
      new Look(),
      harness.stage('attempt', 100),
      new Look(),
    ];
    await harness.run(stages, () => 1);
    expect(seen).toEqual([Infinity, 500, 100, 100, 500, Infinity]);
  });

  it('does not extend an earlier deadline of the call', async () => {
    const harness = new Harness();
    let deadline = 0;
    const call = harness.call((own) => (deadline = own.deadline));
    call.deadline = 50;
    await harness.run([harness.stage('attempt', 100)], call);
    expect(deadline).toBe(50);
    expect(call.deadline).toBe(50);
  });

  it('has one timer for all its calls', async () => {
    const harness = new Harness();
    const stage = harness.stage('attempt', 250);
    const setTimer = jest.spyOn(harness.clock, 'setTimer');
    await Promise.all(Array.from({ length: 100 }, () => harness.run([stage], () => 1)));
    expect(setTimer).toHaveBeenCalledTimes(1);
  });

  it('creates no AbortController for a call that does not ask for its signal', async () => {
    const Original = globalThis.AbortController;
    let made = 0;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        made += 1;
      }
    };
    try {
      const harness = new Harness();
      await harness.run([harness.stage('attempt', 250)], () => 1);
      await harness.run([harness.stage('attempt', 250)], hanging);
      expect(made).toBe(0);
    } finally {
      globalThis.AbortController = Original;
    }
  });

  it('leaves no timer behind when the application has closed', async () => {
    const harness = new Harness();
    const stage = harness.stage('attempt', 1_000_000);
    await harness.run([stage], () => 1);
    expect(harness.clock.pending).toBe(1);
    for (const close of harness.closers) close();
    expect(harness.clock.pending).toBe(0);
  });
});

describe('the timeout policy', () => {
  const settle = (options: TimeoutOptions) => readOptions(readTimeoutOptions, options);

  it('reads a plain duration as the limit of an attempt', () => {
    expect(timeoutPolicy.normalize('2s')).toEqual({ attempt: '2s' });
    expect(timeoutPolicy.normalize(100)).toEqual({ attempt: 100 });
    expect(timeoutPolicy.normalize({ total: '2s' })).toEqual({ total: '2s' });
    expect(timeoutPolicy.normalize(undefined as never)).toEqual({ attempt: undefined });
  });

  it('reads both times', () => {
    expect(settle({ attempt: '1s', total: '2s' })).toEqual([{ attempt: 1_000, total: 2_000 }, []]);
    expect(settle({ total: '2s' })).toEqual([{ attempt: undefined, total: 2_000 }, []]);
  });

  it('has a stage for each given limit', () => {
    const { clock, events } = new Harness();
    const site = {
      name: 'x',
      clock,
      events,
      onClose: () => () => {},
    } as Partial<PolicySite> as PolicySite;
    expect(Object.keys(timeoutPolicy.stages({ attempt: 1, total: 2 }, site)).sort()).toEqual([
      'attempt timeout',
      'total timeout',
    ]);
    expect(Object.keys(timeoutPolicy.stages({ attempt: undefined, total: 2 }, site))).toEqual([
      'total timeout',
    ]);
    expect(Object.keys(timeoutPolicy.stages({ attempt: 1, total: undefined }, site))).toEqual([
      'attempt timeout',
    ]);
  });

  it.each<[string, object, string]>([
    ['no time', {}, `no time given; use a duration such as '2s', or { attempt, total }`],
    [
      'a time of 0',
      { attempt: 0 },
      `attempt is 0; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' above 0`,
    ],
    [
      'an endless time',
      { total: Infinity },
      `total is Infinity; use milliseconds or a duration such as '500ms', '2s', '1.5m', '1h' above 0`,
    ],
    [
      'an attempt as long as the total',
      { attempt: '2s', total: '2s' },
      'attempt (2000 ms) must be shorter than total (2000 ms), or the total timeout always comes first',
    ],
    [
      'an attempt longer than the total',
      { attempt: '3s', total: '2s' },
      'attempt (3000 ms) must be shorter than total (2000 ms), or the total timeout always comes first',
    ],
    [
      'a misspelt option',
      { attempt: 1, totl: 2 },
      'totl is not an option; the options are attempt, total',
    ],
  ])('reports %s', (_what, options, problem) => {
    expect(settle(options)[1]).toEqual([problem]);
  });
});
