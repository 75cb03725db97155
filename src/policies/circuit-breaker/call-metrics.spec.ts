import { NotFoundException } from '@nestjs/common';
import type { Clock } from '../../common/clock.js';
import { Classifier } from '../../common/outcomes/classifier.js';
import type { Call } from '../../pipeline/call.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import { AGAIN, type Reaction, Stage } from '../../pipeline/stage.js';
import type { OutcomeCounts } from '../../telemetry/metrics/snapshot.js';
import { type ResilienceEvents } from '../../telemetry/resilience-events.js';
import {
  type SetUp,
  down,
  full,
  quietly,
  setUp,
  timedOut,
} from '../../../test/support/breaker-metrics.js';
import { type Given, counts } from '../../../test/support/outcome-counts.js';
import { TestCall } from '../../../test/support/test-call.js';
import { BulkheadFullError } from '../bulkhead/bulkhead-full-error.js';
import { NO_ANSWER } from '../fallback/answer.js';
import { FallbackStage } from '../fallback/fallback-stage.js';
import type { PolicySite } from '../policy.js';
import { CircuitBreakerStage } from './circuit-breaker-stage.js';
import type { CircuitBreakerOptions } from './options.js';

const hang = (): Promise<never> => new Promise(() => {});

/** As much of a site as a fallback needs. */
function siteOf(clock: Clock, events: ResilienceEvents): PolicySite {
  const site: Partial<PolicySite> = { name: 'Books.list', events, clock };
  return site as PolicySite;
}

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

// A call that cannot be interrupted takes a different path through the pipeline.
describe.each([
  ['a plain call', false],
  ['a call that can be interrupted', true],
])('the fallback of %s', (_, interruptible) => {
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
                : [{ on: undefined, answer: { label: 'test', answer: () => answer() } }],
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

  it('is missing if there is none', async () => {
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

  it('is not counted for a success or an answer with an error, answered or not', async () => {
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

  it('is not counted for a result that is a failure: the caller gets it', async () => {
    const { run, call, stage, fallback, metrics } = site({ onResult: () => true });
    await run(
      call(() => 'bad'),
      fallback(() => 2),
      stage,
    );
    expect(metrics().counts).toEqual(counts({ failure: 1 }));
  });

  it('is not counted when a retry has succeeded', async () => {
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

  it('is counted once after retries, for the last attempt', async () => {
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

  it('is not counted when the last attempt ended with an answer', async () => {
    const { run, call, stage, metrics } = site();
    const work = (attempt: number): unknown =>
      attempt === 1 ? down() : Promise.reject(new NotFoundException());
    await run(call(work), new AgainStage(1), stage);
    expect(metrics().counts).toEqual(counts({ failure: 1, success: 1 }));
  });

  it('is that of a failure when the work failed with the rejection of another bulkhead', async () => {
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

  it('is not counted when a policy outside the breaker rejected the call', async () => {
    const { run, call, stage, fallback, metrics } = site();
    await run(
      call(down),
      fallback(() => 2),
      new DoorStage(),
      stage,
    );
    expect(metrics().counts).toEqual(counts({}));
  });

  it('is counted when a policy inside the breaker rejected the call', async () => {
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
    const stage = new CircuitBreakerStage(breakers);
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
    '%s has no fallback counted',
    async (when) => {
      const { breaker, clock, events, metrics } = setUp();
      const call = new TestCall(when === 'while it runs' ? hang : down, {
        clock,
        interruptible: true,
      });
      const fallback = new FallbackStage(
        {
          choices: [{ on: undefined, answer: { label: 'test', answer: hang } }],
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

  it('by a timeout outside the breaker has its fallback counted', async () => {
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

it('a fallback that is abandoned because time is up has failed', async () => {
  const { breaker, clock, events, metrics } = setUp();
  const call = new TestCall(down, { clock, interruptible: true });
  const fallback = new FallbackStage(
    {
      choices: [{ on: undefined, answer: { label: 'test', answer: hang } }],
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
