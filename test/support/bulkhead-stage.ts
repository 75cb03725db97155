import { settingsOf } from './read-options.js';
import type { Call } from '../../src/pipeline/call.js';
import { Pipeline } from '../../src/pipeline/pipeline.js';
import { Sleeper } from '../../src/pipeline/sleeper.js';
import { Stage } from '../../src/pipeline/stage.js';
import type { ResilienceEvent } from '../../src/telemetry/events.js';
import { ResilienceEvents } from '../../src/telemetry/resilience-events.js';
import { ManualClock } from '../../src/testing/index.js';
import type { PolicySite } from '../../src/policies/policy.js';
import { type RetryOptions, readRetryOptions } from '../../src/policies/retry/options.js';
import { RetryStage } from '../../src/policies/retry/retry-stage.js';
import { TimeoutStage } from '../../src/policies/timeout/timeout-stage.js';
import { Bulkhead } from '../../src/policies/bulkhead/bulkhead.js';
import { BulkheadStage } from '../../src/policies/bulkhead/bulkhead-stage.js';
import { TestCall, type Work } from './test-call.js';
import { type Deferred, deferred, outcome } from './wait.js';
import { policyEventsOf } from './heard.js';

/** Runs a function at the moment at which a call has left the stages inside it. */
export class OnExit extends Stage {
  constructor(private readonly act: (call: Call) => void) {
    super();
  }

  override exit(call: Call): void {
    this.act(call);
  }
}

interface Given {
  readonly maxConcurrent?: number;
  readonly maxQueue?: number;
  readonly maxWait?: number;
  /** Stages outside the bulkhead. */
  readonly around?: (harness: Harness) => Stage[];
}

/** A call that has begun. */
export interface Begun {
  readonly call: TestCall;
  readonly end: Promise<{ value?: unknown; error?: unknown }>;
  /** The attempts whose work has begun, each with the function that ends it. */
  readonly works: Deferred<unknown>[];
}

/** A bulkhead in a pipeline, and a clock that only the test moves. */
export class Harness {
  readonly clock = new ManualClock();
  readonly events = new ResilienceEvents();
  emitted: ResilienceEvent[] = [];
  readonly bulkhead: Bulkhead;
  /** The names of the calls whose work has begun, in that order. */
  readonly started: string[] = [];
  private readonly pipeline: Pipeline;
  private readonly sleeper = new Sleeper(this.clock);

  constructor({ maxConcurrent = 1, maxQueue = 0, maxWait, around = () => [] }: Given = {}) {
    const { clock, events } = this;
    const settings = { name: undefined, maxConcurrent, maxQueue, maxWait };
    this.bulkhead = new Bulkhead('storagesvc', settings, { clock, events });
    this.pipeline = this.pipelineOf([...around(this), new BulkheadStage(this.bulkhead, { clock })]);
  }

  pipelineOf(stages: readonly Stage[]): Pipeline {
    return new Pipeline('Books.list', stages, this.events);
  }

  /** Also to attempts. */
  listen(): this {
    this.emitted = policyEventsOf(this.events, true);
    return this;
  }

  timeout(scope: 'attempt' | 'total', ms: number): Stage {
    return new TimeoutStage(scope, ms, this.site);
  }

  retry(options: RetryOptions): Stage {
    return new RetryStage(settingsOf(readRetryOptions, options), this.site);
  }

  private get site(): PolicySite {
    const { clock, events, sleeper } = this;
    const site: Partial<PolicySite> = {
      name: 'Books.list',
      clock,
      events,
      sleeper,
      random: () => 0.5,
      onClose: () => () => {},
    };
    return site as PolicySite;
  }

  call(work: Work, { interruptible = false } = {}): TestCall {
    return new TestCall(work, { clock: this.clock, interruptible });
  }

  run(call: TestCall): Promise<unknown> {
    return this.pipeline.run(call);
  }

  /** Begins a call whose work the test ends, attempt by attempt. */
  begin(name: string, { interruptible = false } = {}): Begun {
    const works: Deferred<unknown>[] = [];
    const work: Work = () => {
      this.started.push(name);
      const each = deferred<unknown>();
      works.push(each);
      return each.promise;
    };
    const call = this.call(work, { interruptible });
    return { call, works, end: outcome(this.run(call)) };
  }

  get counts(): [running: number, waiting: number] {
    const { running, waiting } = this.bulkhead.snapshot();
    return [running, waiting];
  }
}

export const down = new Error('down');

export const works: [string, () => unknown][] = [
  ['returns a value', () => 'books'],
  [
    'throws',
    () => {
      throw down;
    },
  ],
  ['returns a promise', () => Promise.resolve('books')],
  ['returns a promise that rejects', () => Promise.reject(down)],
];
