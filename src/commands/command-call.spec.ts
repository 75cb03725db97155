import { NotFoundException } from '@nestjs/common';
import { Classifier } from '../common/outcomes/classifier.js';
import type { CallScope } from '../pipeline/call-scope.js';
import type { Call } from '../pipeline/call.js';
import { Pipeline } from '../pipeline/pipeline.js';
import { Stage } from '../pipeline/stage.js';
import { BulkheadFullError } from '../policies/bulkhead/bulkhead-full-error.js';
import { CircuitOpenError } from '../policies/circuit-breaker/circuit-open-error.js';
import { TimeoutError } from '../policies/timeout/timeout-error.js';
import { RollingMetrics } from '../telemetry/metrics/metrics.js';
import type { MetricsSnapshot } from '../telemetry/metrics/snapshot.js';
import { ResilienceEvents } from '../telemetry/resilience-events.js';
import { ManualClock } from '../testing/index.js';
import { CommandCall } from './command-call.js';
import type { Work } from './function-call.js';

/** Answers what failed, or changes it. */
class Answering extends Stage {
  constructor(private readonly answer: (call: Call) => void) {
    super();
  }
  override react(call: Call): void {
    this.answer(call);
  }
}

/** Turns calls away. */
class Door extends Stage {
  constructor(private readonly rejection: Error) {
    super();
  }
  override enter(call: Call): undefined {
    call.rejection = this.rejection;
    throw this.rejection;
  }
}

function setUp(stages: readonly Stage[] = [], outcomes = new Classifier({})) {
  const clock = new ManualClock();
  const metrics = new RollingMetrics(clock.now());
  const run = { name: 'books', clock, metrics, outcomes };
  const pipeline = new Pipeline('books', stages, new ResilienceEvents());
  return {
    clock,
    call: (work: Work, scope?: CallScope) => new CommandCall(run, { run: work }, [], scope),
    run: (call: CommandCall) =>
      pipeline.run(call).then(
        () => 'answered',
        () => 'failed',
      ),
    snapshot: (): MetricsSnapshot => metrics.snapshot(clock.now()),
  };
}

const down = (): Promise<never> => Promise.reject(new Error('down'));
const hang = (): Promise<never> => new Promise(() => {});

describe('a call of a command', () => {
  it('counts as running from the start of its work until its end, once', async () => {
    const { call, run, snapshot } = setUp();
    const made = call(() => 1);
    expect(snapshot().concurrency).toEqual({ now: 0, max: 0 });
    await run(made);
    made.finish();
    expect(snapshot()).toMatchObject({ counts: { success: 1 }, concurrency: { now: 0, max: 1 } });
    expect(snapshot().latency.count).toBe(1);
  });

  it('judges its outcome by the rule of its breaker', async () => {
    const { call, run, snapshot } = setUp(
      [],
      new Classifier({ ignore: [RangeError], onResult: (result) => result === 'bad' }),
    );
    await run(call(() => 'good'));
    await run(call(() => 'bad'));
    await run(call(down));
    await run(call(() => Promise.reject(new RangeError())));
    await run(call(() => Promise.reject(new NotFoundException())));
    expect(snapshot().counts).toMatchObject({
      success: 2,
      failure: 2,
      ignored: 1,
      fallback: { missing: 1 },
    });
  });

  it('counts as cancelled when its caller has gone', async () => {
    const { call, run, snapshot } = setUp();
    const made = call(hang);
    made.interruptible = true;
    const running = run(made);
    made.abort(new Error('the client has gone'));
    await expect(running).resolves.toBe('failed');
    expect(snapshot()).toMatchObject({
      counts: { ignored: 1, timeout: 0, fallback: { missing: 0 } },
      latency: { count: 0 },
    });
  });

  it('counts as a timeout when the time of its caller is up', async () => {
    const { call, clock, run, snapshot } = setUp();
    const made = call(hang);
    made.interruptible = true;
    const running = run(made);
    await clock.advance(100);
    made.abort(new TimeoutError('Books.list', 'total', 100));
    await expect(running).resolves.toBe('failed');
    expect(snapshot()).toMatchObject({
      counts: { ignored: 0, timeout: 1, fallback: { missing: 1 } },
      latency: { count: 1, max: 100 },
    });
  });

  it.each([
    ['an open circuit', new CircuitOpenError('books', 1), { circuitOpen: 1, bulkheadFull: 0 }],
    [
      'a full bulkhead',
      new BulkheadFullError('books', 'full', 1),
      { circuitOpen: 0, bulkheadFull: 1 },
    ],
  ])('counts as rejected by %s of its own, whatever the rule', async (_, error, rejected) => {
    for (const outcomes of [new Classifier({ on: [Error] }), new Classifier({ skip: [Error] })]) {
      const { call, run, snapshot } = setUp([new Door(error)], outcomes);
      await run(call(() => 1));
      expect(snapshot()).toMatchObject({
        counts: { rejected, failure: 0, ignored: 0, fallback: { missing: 1 } },
        latency: { count: 0 },
        totalLatency: { count: 1 },
      });
    }
  });

  it('treats a foreign rejection like any other error', async () => {
    const { call, run, snapshot } = setUp([], new Classifier({ on: [CircuitOpenError] }));
    await run(call(() => Promise.reject(new CircuitOpenError('films', 1))));
    expect(snapshot()).toMatchObject({
      counts: { rejected: { circuitOpen: 0 }, failure: 1 },
      latency: { count: 1 },
    });
  });

  it.each(['success', 'failure', 'rejected'] as const)(
    'has the outcome of the work, not of its fallback: %s',
    async (by) => {
      const { call, clock, run, snapshot } = setUp([
        new Answering((answered) => {
          answered.answered = { error: answered.error, at: answered.now(), by };
          if (by !== 'success') return;
          answered.succeed('none');
          answered.source = 'fallback';
        }),
      ]);
      const work = new Promise((_, reject) => clock.setTimer(() => reject(new Error('down')), 50));
      const running = run(call(() => work));
      await clock.advance(50);
      await running;
      const { counts, latency } = snapshot();
      expect(counts).toMatchObject({ success: 0, failure: 1 });
      expect(counts.fallback).toEqual({
        ...{ success: 0, failure: 0, missing: 0, rejected: 0 },
        [by]: 1,
      });
      expect(latency).toMatchObject({ count: 1, max: 50 });
    },
  );

  it('has no fallback counted when a later attempt has succeeded', async () => {
    const { call, run, snapshot } = setUp([
      new Answering((answered) => {
        answered.answered = { error: new Error('first'), at: 0, by: 'failure' };
      }),
    ]);
    await run(call(() => 'up'));
    expect(snapshot().counts).toMatchObject({ success: 1, failure: 0, fallback: { failure: 0 } });
  });
});
