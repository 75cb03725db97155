import { NotFoundException } from '@nestjs/common';
import type { Clock } from '../../common/clock.js';
import { OptionsReader, Problems } from '../../common/options-reader.js';
import { Classifier } from '../../common/outcomes/classifier.js';
import type { Call } from '../../pipeline/call.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import { AGAIN, type Reaction, Stage } from '../../pipeline/stage.js';
import type { MetricsSnapshot, OutcomeCounts } from '../../telemetry/metrics/snapshot.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { BulkheadFullError } from '../bulkhead/bulkhead-full-error.js';
import { NO_ANSWER } from '../fallback/answer.js';
import { FallbackStage } from '../fallback/fallback-stage.js';
import type { PolicySite } from '../policy.js';
import { TimeoutError } from '../timeout/timeout-error.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { CircuitBreakerStage, KeyedCircuitBreakerStage } from './circuit-breaker-stage.js';
import { environmentOf } from './environment.js';
import { KeyedCircuitBreakers } from './keyed-circuit-breakers.js';
import { type CircuitBreakerOptions, settleCircuitBreaker } from './options.js';

interface Given extends Partial<Omit<OutcomeCounts, 'rejected' | 'fallback'>> {
  readonly rejected?: Partial<OutcomeCounts['rejected']>;
  readonly fallback?: Partial<OutcomeCounts['fallback']>;
}

/** Counts that are 0 where nothing is said. */
const counts = ({ rejected, fallback, ...given }: Given): OutcomeCounts => ({
  success: 0,
  failure: 0,
  timeout: 0,
  ignored: 0,
  ...given,
  rejected: { circuitOpen: 0, bulkheadFull: 0, other: 0, ...rejected },
  fallback: { success: 0, failure: 0, missing: 0, rejected: 0, ...fallback },
});

const down = (): Promise<never> => Promise.reject(new Error('down'));
const hang = (): Promise<never> => new Promise(() => {});
const timedOut = (): TimeoutError => new TimeoutError('Books.list', 'attempt', 1);
const full = (): BulkheadFullError => new BulkheadFullError('books', 'full', 1);

/** What `work` comes to is of no interest. */
const quietly = async (work: Promise<unknown>): Promise<void> => {
  await work.catch(() => {});
};

/** As much of a site as a fallback needs. */
function siteOf(clock: Clock, events: ResilienceEvents): PolicySite {
  const site: Partial<PolicySite> = { name: 'Books.list', events, clock };
  return site as PolicySite;
}

interface SetUp {
  readonly clock: ManualClock;
  readonly breaker: CircuitBreaker;
  readonly breakers: KeyedCircuitBreakers;
  readonly events: ResilienceEvents;
  readonly metrics: () => MetricsSnapshot;
}

function setUp(options: CircuitBreakerOptions = {}): SetUp {
  const clock = new ManualClock();
  const events = new ResilienceEvents();
  const problems = new Problems();
  const all: CircuitBreakerOptions = { consecutiveFailures: 2, openFor: '5s', ...options };
  const read = new OptionsReader(all, '', problems);
  const settings = settleCircuitBreaker(read);
  expect(problems.all).toEqual([]);
  const environment = environmentOf({
    clock,
    random: () => 0.5,
    events,
    warn: () => {},
    log: () => {},
  });
  const create = (name: string, own = settings.breaker): CircuitBreaker =>
    new CircuitBreaker(name, own, environment);
  const breaker = create('api');
  return {
    clock,
    breaker,
    breakers: new KeyedCircuitBreakers('api', settings, create, () => {}),
    events,
    metrics: () => breaker.snapshot().metrics,
  };
}

describe('a circuit breaker counts', () => {
  it('what execute() comes to', async () => {
    const { breaker, metrics } = setUp({ onResult: (result) => result === 'bad' });
    await quietly(breaker.execute(() => Promise.reject(new NotFoundException())));
    await breaker.execute(() => 'good');
    await breaker.execute(() => 'bad');
    await quietly(breaker.execute(() => Promise.reject(new TypeError('x'))));
    await quietly(breaker.execute(() => Promise.reject(full()))); // of another one
    await quietly(breaker.execute(() => Promise.reject(timedOut())));
    expect(breaker.state).toBe('open');
    await quietly(breaker.execute(() => 1));
    expect(metrics().counts).toEqual(
      counts({
        success: 2,
        failure: 1,
        timeout: 1,
        ignored: 2,
        rejected: { circuitOpen: 1 },
      }),
    );
  });

  it('what its permits are settled with, once', () => {
    const { breaker, metrics } = setUp();
    const take = () => breaker.tryAcquire()!;
    take().success();
    take().failure(new Error('down'));
    take().success();
    take().failure();
    take().success();
    take().failure(timedOut());
    take().ignore();
    const twice = take();
    twice.success();
    twice.failure();
    expect(metrics().counts).toEqual(counts({ success: 4, failure: 2, timeout: 1, ignored: 1 }));
    breaker.forceOpen();
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(metrics().counts.rejected.circuitOpen).toBe(1);
  });

  it('by its rules: a timeout that is no failure is a timeout, a success with an error is none', async () => {
    const { breaker, metrics } = setUp({
      classify: (error, result) =>
        error instanceof TimeoutError || result === 'odd' ? 'ignored' : 'success',
    });
    await quietly(breaker.execute(() => Promise.reject(timedOut())));
    await quietly(breaker.execute(down));
    await breaker.execute(() => 'odd');
    expect(metrics().counts).toEqual(counts({ timeout: 1, success: 1, ignored: 1 }));
    expect(breaker.counts).toMatchObject({ ignored: 2, successes: 1 });
  });

  it('in any state, under any override', () => {
    const { breaker, metrics } = setUp({ consecutiveFailures: 1 });
    breaker.tryAcquire()!.failure();
    expect(breaker.tryAcquire()).toBeUndefined(); // open
    breaker.observeOnly();
    breaker.tryAcquire()!.success(); // let through all the same
    breaker.disable();
    breaker.tryAcquire()!.failure();
    breaker.forceOpen();
    expect(breaker.tryAcquire()).toBeUndefined();
    expect(metrics().counts).toEqual(
      counts({ success: 1, failure: 2, rejected: { circuitOpen: 2 } }),
    );
  });

  it('on when it begins anew, and when its rules change', () => {
    const { breaker, metrics } = setUp();
    breaker.tryAcquire()!.failure();
    breaker.reset();
    const problems = new Problems();
    const read = new OptionsReader({ window: { calls: 5 } }, '', problems);
    breaker.reconfigure(settleCircuitBreaker(read).breaker);
    breaker.tryAcquire()!.success();
    expect(breaker.counts).toMatchObject({ requests: 1, failures: 0 });
    expect(metrics().counts).toEqual(counts({ success: 1, failure: 1 }));
  });

  it('for each key by itself', () => {
    const { breakers } = setUp();
    breakers.for('a')!.tryAcquire()!.success();
    breakers.for('b')!.tryAcquire()!.failure();
    const metrics = ['a', 'b'].map((key) => breakers.for(key)!.snapshot().metrics.counts);
    expect(metrics).toEqual([counts({ success: 1 }), counts({ failure: 1 })]);
  });

  it('for 10 s, latencies for a minute, whatever its own window', async () => {
    const { breaker, metrics, clock } = setUp({ window: { calls: 100 }, failureRate: 1 });
    breaker.tryAcquire()!.success();
    await clock.advance(10_000);
    expect(metrics()).toMatchObject({ counts: counts({}), latency: { count: 1 } });
    expect(breaker.counts.successes).toBe(1);
    await clock.advance(50_000);
    expect(metrics().latency.count).toBe(0);
  });
});

describe('a circuit breaker times', () => {
  it('its calls from their admission to their end', async () => {
    const { breaker, metrics, clock } = setUp();
    for (const ms of [100, 200, 600]) {
      const permit = breaker.tryAcquire()!;
      await clock.advance(ms);
      permit.success();
    }
    expect(metrics().latency).toMatchObject({ count: 3, mean: 300, min: 100, max: 600 });
    expect(metrics().totalLatency).toEqual(metrics().latency);
  });

  it('good ones, bad ones and wrong requests; not what it turns away, nor what it is not told of', async () => {
    const { breaker, metrics, clock } = setUp({ consecutiveFailures: 9 });
    const settled = async (
      end: (permit: NonNullable<ReturnType<typeof breaker.tryAcquire>>) => void,
    ) => {
      const permit = breaker.tryAcquire()!;
      await clock.advance(10);
      end(permit);
      return metrics().latency.count;
    };
    await expect(settled((permit) => permit.success())).resolves.toBe(1);
    await expect(settled((permit) => permit.failure(new Error()))).resolves.toBe(2);
    await expect(settled((permit) => permit.failure(timedOut()))).resolves.toBe(3);
    await expect(settled((permit) => permit.ignore())).resolves.toBe(3);
    await quietly(breaker.execute(() => Promise.reject(new NotFoundException())));
    expect(metrics().latency.count).toBe(4);
    breaker.forceOpen();
    breaker.tryAcquire();
    expect(metrics().latency.count).toBe(4);
  });

  it('a good result that its rules ignore, too: the work was done', async () => {
    const { breaker, metrics } = setUp({ classify: () => 'ignored' });
    await breaker.execute(() => 'odd');
    expect(metrics()).toMatchObject({ counts: { ignored: 1 }, latency: { count: 1 } });
  });
});

describe('a circuit breaker tells how many calls run', () => {
  it('now, and the most within the window', async () => {
    const { breaker, metrics, clock } = setUp();
    const permits = [breaker.tryAcquire()!, breaker.tryAcquire()!, breaker.tryAcquire()!];
    expect(metrics().concurrency).toEqual({ now: 3, max: 3 });
    permits[0]!.success();
    permits[1]!.ignore();
    permits[1]!.failure();
    expect(metrics().concurrency).toEqual({ now: 1, max: 3 });
    await clock.advance(10_000);
    expect(metrics().concurrency).toEqual({ now: 1, max: 1 });
    permits[2]!.failure();
    await clock.advance(10_000);
    expect(metrics().concurrency).toEqual({ now: 0, max: 0 });
  });

  it('not those that it turns away', () => {
    const { breaker, metrics } = setUp();
    breaker.forceOpen();
    breaker.tryAcquire();
    expect(metrics().concurrency).toEqual({ now: 0, max: 0 });
  });

  it('those of an older generation too, until they end', async () => {
    const { breaker, metrics, clock } = setUp({ consecutiveFailures: 1 });
    const old = [breaker.tryAcquire()!, breaker.tryAcquire()!];
    breaker.tryAcquire()!.failure();
    expect(breaker.snapshot().running).toBe(0);
    expect(metrics().concurrency.now).toBe(2);
    await clock.advance(300);
    old[0]!.success();
    old[1]!.failure(timedOut());
    expect(metrics()).toMatchObject({
      counts: counts({ success: 1, failure: 1, timeout: 1 }),
      latency: { count: 3, max: 300 },
      concurrency: { now: 0 },
    });
    expect(breaker.snapshot()).toMatchObject({
      state: 'open',
      stale: 2,
      running: 0,
      counts: { requests: 0 },
    });
  });
});

describe('a call that hangs', () => {
  it('is a timeout when its time is over, and runs no more', async () => {
    const { breaker, metrics, clock } = setUp({ maxCallDuration: '10s' });
    const hung = breaker.tryAcquire()!;
    await clock.advance(9_999);
    expect(metrics()).toMatchObject({ counts: { timeout: 0 }, concurrency: { now: 1 } });
    await clock.advance(1);
    expect(metrics()).toMatchObject({
      counts: counts({ timeout: 1 }),
      concurrency: { now: 0 },
      latency: { count: 1, max: 10_000 },
    });
    hung.success();
    expect(metrics()).toMatchObject({
      counts: counts({ timeout: 1 }),
      concurrency: { now: 0 },
      latency: { count: 1 },
    });
    expect(breaker.snapshot()).toMatchObject({ stale: 1, counts: { failures: 1, successes: 0 } });
  });

  it('is noticed by whatever happens next', async () => {
    const { breaker, metrics, clock } = setUp({ maxCallDuration: '1s', consecutiveFailures: 9 });
    breaker.tryAcquire();
    await clock.advance(1_000);
    breaker.tryAcquire()!.success();
    expect(metrics().counts).toEqual(counts({ success: 1, timeout: 1 }));
    expect(metrics().concurrency).toEqual({ now: 0, max: 1 });
  });

  it('opens the circuit together with others, each counted once', async () => {
    const { breaker, metrics, clock } = setUp({ maxCallDuration: '1s' });
    for (let call = 0; call < 2; call++) breaker.tryAcquire();
    await clock.advance(1_000);
    expect(breaker.state).toBe('open');
    expect(metrics().counts).toEqual(counts({ timeout: 2 }));
    expect(metrics().concurrency.now).toBe(0);
  });

  it('as a probe is one too', async () => {
    const { breaker, metrics, clock } = setUp({
      consecutiveFailures: 1,
      halfOpen: { maxDuration: '3s' },
    });
    breaker.tryAcquire()!.failure();
    await clock.advance(5_000);
    const probe = breaker.tryAcquire()!;
    await clock.advance(3_000);
    expect(metrics()).toMatchObject({
      counts: counts({ failure: 1, timeout: 1 }),
      concurrency: { now: 0, max: 1 },
    });
    expect(breaker.snapshot()).toMatchObject({ state: 'open', counts: { failures: 0 } });
    probe.failure();
    expect(metrics().counts).toEqual(counts({ failure: 1, timeout: 1 }));
  });

  it('is a timeout when its time is over, though the circuit has opened meanwhile', async () => {
    const { breaker, metrics, clock } = setUp({ maxCallDuration: '10s', consecutiveFailures: 1 });
    breaker.tryAcquire(); // hangs
    breaker.tryAcquire()!.failure();
    await clock.advance(10_000);
    expect(metrics().concurrency.now).toBe(0);
    expect(metrics().counts.timeout).toBe(1);
  });

  it('of an older generation is one too, which decides nothing', async () => {
    const { breaker, metrics, clock } = setUp({ maxCallDuration: '10s', consecutiveFailures: 1 });
    const hung = breaker.tryAcquire()!;
    breaker.reset();
    await clock.advance(10_000);
    expect(metrics()).toMatchObject({ counts: counts({ timeout: 1 }), latency: { count: 1 } });
    expect(breaker.snapshot()).toMatchObject({
      state: 'closed',
      running: 0,
      counts: { failures: 0, requests: 0 },
    });
    hung.failure();
    expect(breaker.state).toBe('closed');
    expect(metrics().counts).toEqual(counts({ timeout: 1 }));
  });
});

/** Runs again what has failed, so many times. */
class AgainStage extends Stage {
  constructor(private readonly times: number) {
    super();
  }

  override react(call: Call): Promise<Reaction> | void {
    if (call.failed && call.attempt <= this.times) return Promise.resolve(AGAIN);
  }
}

/** Turns calls away, as a bulkhead does. */
class DoorStage extends Stage {
  override enter(call: Call): undefined {
    call.rejection = full();
    throw call.rejection;
  }
}

type Answer = (() => unknown) | undefined;

// A call that nobody can interrupt goes another way through the pipeline.
describe.each([
  ['a plain call', false],
  ['a call that can be interrupted', true],
])('what becomes of %s', (_, interruptible) => {
  interface Site extends SetUp {
    readonly call: (work: (attempt: number) => unknown, args?: readonly unknown[]) => TestCall;
    readonly run: (call: TestCall, ...stages: Stage[]) => Promise<void>;
    readonly fallback: (answer: Answer, maxConcurrent?: number) => Stage;
    readonly stage: Stage;
  }

  function site(options?: CircuitBreakerOptions): Site {
    const made = setUp(options);
    const { clock, events, breaker } = made;
    const stage = new CircuitBreakerStage(breaker);
    return {
      ...made,
      stage,
      call: (work, args) =>
        new TestCall(({ attempt }) => work(attempt), { clock, args, interruptible }),
      run: (call, ...stages) => quietly(new Pipeline('Books.list', stages, events).run(call)),
      fallback: (answer, maxConcurrent = Infinity) =>
        new FallbackStage(
          {
            choices:
              answer === undefined
                ? []
                : [{ on: undefined, answer: { label: 'test', give: () => answer() } }],
            classifier: new Classifier({ on: [() => true] }),
            maxConcurrent,
          },
          siteOf(clock, events),
        ),
    };
  }

  const broken = (): never => {
    throw new Error('nor from the shelf');
  };

  const answers: Record<string, { answer: Answer; counted: Given['fallback'] }> = {
    'that answers': { answer: () => 'none', counted: { success: 1 } },
    'that answers later': { answer: () => Promise.resolve('none'), counted: { success: 1 } },
    'that fails': { answer: broken, counted: { failure: 1 } },
    'that has no answer': { answer: () => NO_ANSWER, counted: { failure: 1 } },
    'for other errors': { answer: undefined, counted: { missing: 1 } },
  };

  const failures: Record<string, { error?: () => Error; counted: Given }> = {
    'a failure': { error: () => new Error('down'), counted: { failure: 1 } },
    'a timeout': { error: timedOut, counted: { timeout: 1 } },
    'a full bulkhead': { counted: { rejected: { bulkheadFull: 1 } } },
  };

  const both = Object.keys(failures).flatMap((failure) =>
    Object.keys(answers).map((answer) => [failure, answer]),
  );

  it.each(both)('is counted with it: %s, a fallback %s', async (failure, answer) => {
    const { run, call, stage, fallback, metrics } = site();
    const { error, counted } = failures[failure]!;
    const given = answers[answer]!;
    const work = (): unknown => (error === undefined ? 1 : Promise.reject(error()));
    const inside = error === undefined ? [new DoorStage()] : [];
    await run(call(work), fallback(given.answer), stage, ...inside);
    expect(metrics().counts).toEqual(counts({ ...counted, fallback: given.counted! }));
  });

  it.each(Object.keys(answers))(
    'is counted with it: an open circuit, a fallback %s',
    async (answer) => {
      const { run, call, stage, fallback, metrics, breaker } = site();
      const given = answers[answer]!;
      breaker.forceOpen();
      await run(
        call(() => 1),
        fallback(given.answer),
        stage,
      );
      expect(metrics().counts).toEqual(
        counts({ rejected: { circuitOpen: 1 }, fallback: given.counted! }),
      );
    },
  );

  it('is missing without any fallback', async () => {
    const { run, call, stage, metrics, breaker } = site();
    await run(call(down), stage);
    breaker.forceOpen();
    await run(call(down), stage);
    expect(metrics().counts).toEqual(
      counts({ failure: 1, rejected: { circuitOpen: 1 }, fallback: { missing: 2 } }),
    );
  });

  it('is rejected beyond the limit of fallbacks', async () => {
    const { run, call, stage, fallback, metrics } = site();
    let answer!: () => void;
    const fallbacks = fallback(() => new Promise<void>((resolve) => (answer = resolve)), 1);
    const first = run(call(down), fallbacks, stage);
    await new Promise((resolve) => setImmediate(resolve));
    await run(call(down), fallbacks, stage);
    expect(metrics().counts).toEqual(counts({ failure: 2, fallback: { rejected: 1 } }));
    answer();
    await first;
    expect(metrics().counts).toEqual(counts({ failure: 2, fallback: { success: 1, rejected: 1 } }));
  });

  it('is nothing for a success, or a wrong request, answered or not', async () => {
    const { run, call, stage, fallback, metrics } = site();
    const wrong = (): Promise<never> => Promise.reject(new NotFoundException());
    await run(
      call(() => 1),
      fallback(() => 2),
      stage,
    );
    await run(call(wrong), stage);
    await run(
      call(wrong),
      fallback(() => 2),
      stage,
    );
    expect(metrics().counts).toEqual(counts({ success: 3 }));
  });

  it('is nothing for a result that is taken for a failure: the caller gets it', async () => {
    const { run, call, stage, fallback, metrics } = site({ onResult: () => true });
    await run(
      call(() => 'bad'),
      fallback(() => 2),
      stage,
    );
    expect(metrics().counts).toEqual(counts({ failure: 1 }));
  });

  it('is nothing when a retry has succeeded', async () => {
    const { run, call, stage, fallback, metrics } = site();
    const work = (attempt: number): unknown => (attempt === 1 ? down() : 'up');
    await run(
      call(work),
      fallback(() => 2),
      new AgainStage(1),
      stage,
    );
    expect(metrics().counts).toEqual(counts({ success: 1, failure: 1 }));
  });

  it('is told once after retries, of the last attempt', async () => {
    const { run, call, stage, fallback, metrics } = site({ consecutiveFailures: 3 });
    await run(
      call(down),
      fallback(() => 2),
      new AgainStage(3),
      stage,
    );
    // The third failure opens the circuit, which turns the fourth attempt away.
    expect(metrics().counts).toEqual(
      counts({ failure: 3, rejected: { circuitOpen: 1 }, fallback: { success: 1 } }),
    );
  });

  it('is nothing when the last attempt was a wrong request', async () => {
    const { run, call, stage, metrics } = site();
    const work = (attempt: number): unknown =>
      attempt === 1 ? down() : Promise.reject(new NotFoundException());
    await run(call(work), new AgainStage(1), stage);
    expect(metrics().counts).toEqual(counts({ failure: 1, success: 1 }));
  });

  it('is that of a failure when work has failed with the rejection of another bulkhead', async () => {
    const { run, call, stage, fallback, metrics } = site({ on: [BulkheadFullError] });
    await run(
      call(() => Promise.reject(full())),
      fallback(() => 2),
      stage,
    );
    expect(metrics()).toMatchObject({
      counts: counts({ failure: 1, fallback: { success: 1 } }),
      latency: { count: 1 },
    });
  });

  it('is nothing when something outside of the breaker has turned the call away', async () => {
    const { run, call, stage, fallback, metrics } = site();
    await run(
      call(down),
      fallback(() => 2),
      new DoorStage(),
      stage,
    );
    expect(metrics().counts).toEqual(counts({}));
  });

  it('is counted when something inside of the breaker has turned the call away', async () => {
    const { run, call, stage, fallback, metrics } = site();
    await run(
      call(down),
      fallback(() => 2),
      stage,
      new DoorStage(),
    );
    expect(metrics().counts).toEqual(
      counts({ rejected: { bulkheadFull: 1 }, fallback: { success: 1 } }),
    );
  });

  it('is counted at the breaker of its key', async () => {
    const { run, call, fallback, breakers } = site({ key: (host: string) => host });
    const stage = new KeyedCircuitBreakerStage(breakers);
    await run(
      call(down, ['a']),
      fallback(() => 2),
      stage,
    );
    await run(call(down, ['b']), stage);
    breakers.for('b')!.forceOpen();
    await run(call(down, ['b']), fallback(broken), stage);
    const of = (key: string): OutcomeCounts => breakers.for(key)!.snapshot().metrics.counts;
    expect(of('a')).toEqual(counts({ failure: 1, fallback: { success: 1 } }));
    expect(of('b')).toEqual(
      counts({
        failure: 1,
        rejected: { circuitOpen: 1 },
        fallback: { missing: 1, failure: 1 },
      }),
    );
  });

  it('is timed without the fallback', async () => {
    const { run, call, stage, fallback, metrics, clock } = site();
    const later = (
      ms: number,
      end: (settle: { resolve: () => void; reject: () => void }) => void,
    ) =>
      new Promise<void>((resolve, reject) => {
        clock.setTimer(() => end({ resolve, reject: () => reject(new Error('down')) }), ms);
      });
    const running = run(
      call(() => later(300, ({ reject }) => reject())),
      fallback(() => later(700, ({ resolve }) => resolve())),
      stage,
    );
    await clock.advance(1_000);
    await running;
    expect(metrics().latency).toMatchObject({ count: 1, max: 300 });
    expect(metrics().totalLatency).toMatchObject({ count: 1, max: 300 });
  });
});

describe('a call that is cancelled', () => {
  it.each(['while it runs', 'while its fallback answers'])(
    '%s has nothing counted of fallbacks',
    async (when) => {
      const { breaker, clock, events, metrics } = setUp();
      const call = new TestCall(when === 'while it runs' ? hang : down, {
        clock,
        interruptible: true,
      });
      const fallback = new FallbackStage(
        {
          choices: [{ on: undefined, answer: { label: 'test', give: hang } }],
          classifier: new Classifier({}),
          maxConcurrent: Infinity,
        },
        siteOf(clock, events),
      );
      const running = quietly(
        new Pipeline('Books.list', [fallback, new CircuitBreakerStage(breaker)], events).run(call),
      );
      await clock.advance(100);
      call.abort(new Error('gone'));
      await running;
      expect(metrics().counts).toEqual(
        counts(when === 'while it runs' ? { ignored: 1 } : { failure: 1 }),
      );
      expect(metrics().concurrency.now).toBe(0);
      expect(metrics().latency.count).toBe(when === 'while it runs' ? 0 : 1);
    },
  );

  it('by a timeout outside of it has what became of that', async () => {
    const { breaker, clock, events, metrics } = setUp();
    const call = new TestCall(hang, { clock, interruptible: true });
    const running = quietly(
      new Pipeline('Books.list', [new CircuitBreakerStage(breaker)], events).run(call),
    );
    await clock.advance(100);
    call.abort(timedOut());
    await running;
    expect(metrics()).toMatchObject({
      counts: counts({ timeout: 1, fallback: { missing: 1 } }),
      latency: { count: 1, max: 100 },
    });
  });
});

it('a fallback that is given up because time is over has failed', async () => {
  const { breaker, clock, events, metrics } = setUp();
  const call = new TestCall(down, { clock, interruptible: true });
  const fallback = new FallbackStage(
    {
      choices: [{ on: undefined, answer: { label: 'test', give: hang } }],
      classifier: new Classifier({}),
      maxConcurrent: Infinity,
    },
    siteOf(clock, events),
  );
  const running = quietly(
    new Pipeline('Books.list', [fallback, new CircuitBreakerStage(breaker)], events).run(call),
  );
  await clock.advance(100);
  call.abort(timedOut()); // as that of the handler that has made the call
  await running;
  expect(metrics().counts).toEqual(counts({ failure: 1, fallback: { failure: 1 } }));
});
