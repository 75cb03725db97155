import { deepStrictEqual, ok } from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import * as fc from 'fast-check';
import { isResilienceError } from '../../common/errors.js';
import { settingsOf } from '../../../test/support/read-options.js';
import type { Call } from '../../pipeline/call.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import { Sleeper } from '../../pipeline/sleeper.js';
import { Stage } from '../../pipeline/stage.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { type Deferred, deferred } from '../../../test/support/wait.js';
import { constant } from '../backoff/backoff.js';
import type { PolicySite } from '../policy.js';
import { readRetryOptions } from '../retry/options.js';
import { RetryStage } from '../retry/retry-stage.js';
import { TimeoutStage } from '../timeout/timeout-stage.js';
import { BulkheadFullError } from './bulkhead-full-error.js';
import { Bulkhead } from './bulkhead.js';
import { BulkheadStage } from './bulkhead-stage.js';

interface Rules {
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  readonly maxWait: number | undefined;
  readonly attemptTimeout: number;
  readonly totalTimeout: number;
  readonly maxRetries: number;
  readonly delay: number;
  /** Whether there are listeners: calls then take another path through the pipeline. */
  readonly listen: boolean;
  /** Whether the pipeline is told of the work as of that of a handler, which runs further inside than it can see. */
  readonly tracked: boolean;
  /** Whether the application closes before the last calls have ended. */
  readonly close: boolean;
}

/** The policies of a call beside the bulkhead. */
type Kind = 'nothing' | 'an abort' | 'a timeout' | 'retries';

type WorkKind = 'a value' | 'an error at once' | 'a promise';

type Step =
  | { readonly do: 'arrive'; readonly kind: Kind; readonly work: WorkKind }
  | { readonly do: 'end'; readonly which: number; readonly well: boolean }
  | { readonly do: 'abort'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }
  /** Lets one promise callback run, so that steps come between any two of them. */
  | { readonly do: 'turn' }
  | { readonly do: 'settle' };

/** One passage of a call through the bulkhead. */
interface Passage {
  readonly call: ModelCall;
  readonly cameAt: number;
  /** Whether all was taken when it came. */
  readonly foundAllTaken: boolean;
  /** Whether its work has begun. */
  began: boolean;
  /** Whether the pipeline has taken it out of the bulkhead again. */
  left: boolean;
}

/** Work that goes on. */
interface Job {
  readonly passage: Passage;
  readonly result: Deferred<unknown>;
}

class ModelCall extends TestCall {
  readonly gone = new Error('gone');
  passage: Passage | undefined = undefined;
  aborted = false;
  end: { readonly value?: unknown; readonly error?: unknown } | undefined = undefined;
  /** The results and errors of its attempts. */
  readonly ends: unknown[] = [];

  constructor(
    readonly id: number,
    readonly kind: Kind,
    readonly workKind: WorkKind,
    world: World,
  ) {
    super((call) => world.begin(call as ModelCall), {
      clock: world.clock,
      interruptible: kind === 'an abort',
    });
  }
}

const currentCall = new AsyncLocalStorage<number>();

/** Sits just outside the bulkhead and sees who comes and goes. */
class Watch extends Stage<Passage> {
  constructor(private readonly world: World) {
    super();
  }

  override enter(call: Call): Passage {
    return this.world.come(call as ModelCall);
  }

  override exit(call: Call, passage: Passage): void {
    this.world.leave(call as ModelCall, passage);
  }

  override react(call: Call): void {
    this.world.react(call as ModelCall);
  }
}

const macrotask = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Calls of all kinds through one bulkhead, and what must hold of them at all times. */
class World {
  readonly clock = new ManualClock();
  private readonly bulkhead: Bulkhead;
  private readonly pipelines: Readonly<Record<Kind, Pipeline>>;
  private readonly calls: ModelCall[] = [];
  /** In the order in which they came. */
  private readonly passages: Passage[] = [];
  private readonly jobs = new Set<Job>();
  private closed = false;
  /** The first thing that was found wrong in the middle of a call, which must not take it for an error of its own. */
  private wrong: { readonly error: unknown } | undefined = undefined;

  constructor(
    private readonly rules: Rules,
    private readonly seen: Set<string>,
  ) {
    const { clock } = this;
    const { maxConcurrent, maxQueue, maxWait, attemptTimeout, totalTimeout } = rules;
    const events = new ResilienceEvents();
    if (rules.listen) events.subscribe(() => {});
    const settings = { name: undefined, maxConcurrent, maxQueue, maxWait };
    this.bulkhead = new Bulkhead('model', settings, { clock, events });
    const site = {
      name: 'model',
      clock,
      events,
      sleeper: new Sleeper(clock),
      random: () => 0.5,
      onClose: () => () => {},
    } as Partial<PolicySite> as PolicySite;
    const retry = { maxRetries: rules.maxRetries, backoff: constant(rules.delay) };
    const retrySettings = settingsOf(readRetryOptions, retry);
    const pipeline = (...around: Stage[]): Pipeline =>
      new Pipeline(
        'model',
        [...around, new Watch(this), new BulkheadStage(this.bulkhead, site)],
        events,
      );
    this.pipelines = {
      nothing: pipeline(),
      'an abort': pipeline(),
      'a timeout': pipeline(new TimeoutStage('attempt', attemptTimeout, site)),
      retries: pipeline(
        new TimeoutStage('total', totalTimeout, site),
        new RetryStage(retrySettings, site),
        new TimeoutStage('attempt', attemptTimeout, site),
      ),
    };
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'arrive') this.arrive(step.kind, step.work);
    if (step.do === 'end') this.endJob(step.which, step.well);
    if (step.do === 'abort') this.abort(step.which);
    if (step.do === 'turn') await Promise.resolve();
    if (step.do === 'settle') await macrotask();
    if (step.do === 'wait') await this.clock.advance(step.ms);
    this.checkCalls();
    this.checkLimits();
    if (step.do === 'settle' || step.do === 'wait') this.checkRest();
  }

  /** Lets all end. */
  async finish(): Promise<void> {
    await macrotask();
    this.checkRest();
    if (this.rules.close) {
      this.closed = true;
      this.bulkhead.close();
      await macrotask();
      this.checkRest();
      deepStrictEqual(this.waiting, []);
    }
    // Each round ends all work that goes on, and lets as much begin; nobody needs more rounds than that.
    const rounds = this.calls.length * (this.rules.maxRetries + 1) + 1;
    for (let round = 0; round < rounds; round++) {
      for (const job of this.jobs) this.settle(job, true);
      await macrotask();
      this.checkCalls();
      this.checkLimits();
      this.checkRest();
      if (this.jobs.size === 0) await this.clock.advance(this.rules.delay);
    }
    await this.clock.advance(10_000);
    const { running, waiting } = this.bulkhead.snapshot();
    deepStrictEqual({ running, waiting }, { running: 0, waiting: 0 });
    deepStrictEqual(this.clock.pending, 0);
    this.checkCalls();
    for (const call of this.calls) this.checkEnd(call);
  }

  private arrive(kind: Kind, work: WorkKind): void {
    const call = new ModelCall(this.calls.length, kind, work, this);
    this.calls.push(call);
    currentCall.run(call.id, () => {
      const ended = (end: ModelCall['end']): void => {
        this.check(() => {
          deepStrictEqual(currentCall.getStore(), call.id);
          deepStrictEqual(call.end, undefined);
        });
        call.end = end;
      };
      this.pipelines[kind].run(call).then(
        (value) => ended({ value }),
        (error: unknown) => ended({ error }),
      );
    });
  }

  come(call: ModelCall): Passage {
    const { maxConcurrent, maxQueue } = this.rules;
    const { running, waiting } = this.bulkhead.snapshot();
    const foundAllTaken = running === maxConcurrent && (waiting === maxQueue || this.closed);
    const cameAt = this.clock.now();
    const passage = { call, cameAt, foundAllTaken, began: false, left: false };
    this.passages.push(passage);
    call.passage = passage;
    return passage;
  }

  begin(call: ModelCall): unknown {
    const passage = call.passage!;
    const { began: before, left, foundAllTaken } = passage;
    passage.began = true;
    const job = { passage, result: deferred<unknown>() };
    this.jobs.add(job);
    this.check(() => {
      deepStrictEqual(currentCall.getStore(), call.id);
      // Nothing of a call that has gone is begun, and nothing is begun twice.
      ok(!call.interrupted && !left && !before && !foundAllTaken);
      this.checkLimits();
    });
    this.see(this.clock.now() > passage.cameAt ? 'began after a wait' : 'began');
    if (call.attempt > 1) this.see('began again');
    if (call.workKind === 'a promise') {
      if (this.rules.tracked) call.track(job.result.promise);
      return job.result.promise;
    }
    this.settle(job, call.workKind === 'a value');
    const end = call.ends.at(-1);
    if (call.workKind === 'a value') return end;
    throw end as Error;
  }

  /** The work has really ended. */
  private settle(job: Job, well: boolean): void {
    this.jobs.delete(job);
    const { call } = job.passage;
    if (!job.passage.left) call.ends.push(well ? { of: call.id } : new Error(`of ${call.id}`));
    if (call.workKind !== 'a promise') return;
    if (well) job.result.resolve(job.passage.left ? 'late' : call.ends.at(-1));
    else job.result.reject(job.passage.left ? new Error('late') : call.ends.at(-1));
  }

  private endJob(which: number, well: boolean): void {
    const jobs = [...this.jobs];
    if (jobs.length > 0) this.settle(jobs[which % jobs.length]!, well);
  }

  private abort(which: number): void {
    const open = this.calls.filter(
      ({ end, interruptible, aborted }) => end === undefined && interruptible && !aborted,
    );
    const call = open[which % open.length];
    if (call === undefined) return;
    const { passage } = call;
    const placed = this.waiting.length - this.bulkhead.snapshot().waiting;
    const at = this.waiting.indexOf(passage!);
    if (at >= 0) this.see(at < placed ? 'stopped with a new place' : 'stopped in the queue');
    else if (!passage!.left) this.see('stopped at work');
    call.aborted = true;
    call.abort(call.gone);
  }

  leave(call: ModelCall, passage: Passage): void {
    this.check(() => {
      deepStrictEqual(currentCall.getStore(), call.id);
      ok(!passage.left);
      passage.left = true;
      this.checkReason(call, passage);
    });
  }

  react(call: ModelCall): void {
    this.check(() => deepStrictEqual(currentCall.getStore(), call.id));
  }

  /** Why a passage has ended. */
  private checkReason(call: ModelCall, passage: Passage): void {
    const { error } = call;
    if (passage.began) {
      if (isResilienceError(error, 'TIMEOUT')) this.see('timed out at work');
      ok(!(error instanceof BulkheadFullError));
      return;
    }
    // A call that does not begin has a reason.
    ok(call.failed);
    const waited = this.clock.now() - passage.cameAt;
    const { maxWait, attemptTimeout } = this.rules;
    if (error instanceof BulkheadFullError) {
      this.see(error.reason);
      if (passage.foundAllTaken) deepStrictEqual(error.reason, this.closed ? 'closing' : 'full');
      else ok(error.reason === (waited === maxWait ? 'max-wait' : 'closing'));
      if (error.reason === 'closing') ok(this.closed);
    } else if (isResilienceError(error, 'TIMEOUT')) {
      this.see('timed out in the queue');
      ok(waited === attemptTimeout || this.clock.now() === call.deadline);
    } else {
      deepStrictEqual(error, call.gone);
      ok(call.aborted);
    }
  }

  /** Who has come, and has neither begun nor left. */
  private get waiting(): Passage[] {
    return this.passages.filter(({ began, left }) => !began && !left);
  }

  /** Invariants. */
  private checkLimits(): void {
    const { maxConcurrent, maxQueue } = this.rules;
    const { running, waiting } = this.bulkhead.snapshot();
    ok(this.jobs.size <= running); // work that has been given up included
    ok(running <= maxConcurrent);
    ok(waiting >= 0 && waiting <= maxQueue);
  }

  /** Invariants while only time or the test can change anything. */
  private checkRest(): void {
    const { maxConcurrent, maxWait = Infinity } = this.rules;
    const { running, waiting } = this.bulkhead.snapshot();
    const queue = this.waiting;
    // No place is lost, and none is held for nothing.
    deepStrictEqual({ running, waiting }, { running: this.jobs.size, waiting: queue.length });
    const [first] = queue;
    if (first === undefined) return;
    // No call waits beside a free place, and no later call has gone first.
    deepStrictEqual(running, maxConcurrent);
    deepStrictEqual(this.passages.slice(this.passages.indexOf(first)).filter(began), []);
    for (const { call, cameAt } of queue) {
      ok(!call.interrupted && this.clock.now() - cameAt < maxWait);
    }
  }

  /** A call has ended as its last attempt did, or for a reason that is not its own. */
  private checkEnd({ end, ends, aborted, gone }: ModelCall): void {
    const { value, error } = end!;
    if (error === undefined) return ok(value === ends.at(-1));
    const rejected = error instanceof BulkheadFullError || isResilienceError(error, 'TIMEOUT');
    ok(rejected || error === ends.at(-1) || (aborted && error === gone));
  }

  private check(assertions: () => void): void {
    try {
      assertions();
    } catch (error) {
      this.wrong ??= { error };
    }
  }

  private checkCalls(): void {
    if (this.wrong !== undefined) throw this.wrong.error;
  }

  private see(what: string): void {
    this.seen.add(what);
  }
}

const began = (passage: Passage): boolean => passage.began;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('arrive' as const),
      kind: fc.constantFrom<Kind>('nothing', 'an abort', 'a timeout', 'retries'),
      work: fc.constantFrom<WorkKind>('a promise', 'a promise', 'a value', 'an error at once'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(20),
      well: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(20) }),
  },
  { weight: 8, arbitrary: fc.constant<Step>({ do: 'turn' }) },
  { weight: 4, arbitrary: fc.constant<Step>({ do: 'settle' }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 5, 10, 20, 30, 50),
    }),
  },
);

const rulesWith = ({ tracked }: Pick<Rules, 'tracked'>): fc.Arbitrary<Rules> =>
  fc
    .record({
      maxConcurrent: fc.integer({ min: 1, max: 3 }),
      maxQueue: fc.integer({ min: 0, max: 4 }),
      maxWait: fc.option(fc.constantFrom(10, 25, 40), { nil: undefined }),
      attemptTimeout: fc.constantFrom(20, 30),
      totalTimeout: fc.constantFrom(50, 70),
      maxRetries: fc.integer({ min: 1, max: 3 }),
      delay: fc.constantFrom(0, 5, 20),
      listen: fc.boolean(),
      tracked: fc.constant(tracked),
      close: fc.boolean(),
    })
    .map((given) => (given.maxQueue === 0 ? { ...given, maxWait: undefined } : given));

async function run(rules: fc.Arbitrary<Rules>, seen: Set<string>): Promise<void> {
  const steps = fc.array(step, { minLength: 10, maxLength: 60 });
  const property = fc.asyncProperty(rules, steps, async (chosen, all) => {
    const world = new World(chosen, seen);
    for (const each of all) await world.take(each);
    await world.finish();
  });
  await fc.assert(property, { numRuns: 2_000 });
}

jest.setTimeout(60_000); // on a machine that is busy with other things

describe('a bulkhead', () => {
  it('keeps its rules, in whatever order calls begin, end, are stopped and time out', async () => {
    const seen = new Set<string>();
    await run(rulesWith({ tracked: false }), seen);
    // The runs have been everywhere.
    expect([...seen].sort()).toEqual([
      'began',
      'began after a wait',
      'began again',
      'closing',
      'full',
      'max-wait',
      'stopped at work',
      'stopped in the queue',
      'stopped with a new place',
      'timed out at work',
      'timed out in the queue',
    ]);
  });

  // `Call.runningWork` is still that of the attempt before, so that one which is given up in the queue does not leave it.
  it('keeps its rules for handlers too', async () => {
    await run(rulesWith({ tracked: true }), new Set());
  });
});
