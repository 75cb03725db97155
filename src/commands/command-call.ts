import type { Clock } from '../common/clock.js';
import type { OutcomeRule } from '../common/outcomes/outcome.js';
import { type CallScope, callScope } from '../pipeline/call-scope.js';
import { type Substitute, adopt } from '../pipeline/call.js';
import { eventOf, answerEventOf, rejectionEventOf } from '../telemetry/metrics/event-of.js';
import { MetricEvent, type RollingMetrics } from '../telemetry/metrics/metrics.js';
import { FunctionCall, type Work } from './function-call.js';

/** Shared by all calls of one command. */
export interface CommandRun {
  readonly name: string;
  readonly clock: Clock;
  readonly metrics: RollingMetrics;
  readonly outcomes: OutcomeRule;
}

/** The functions of one definition of a command: the work, and those in its policies. */
export interface CommandFunctions {
  readonly run: Work;
  readonly [policy: string]: unknown;
}

/** A call of a command, which records its outcome and durations in the command's metrics. */
export class CommandCall extends FunctionCall {
  private readonly startedAt: number;
  private measured = false;

  constructor(
    private readonly run: CommandRun,
    private readonly functions: CommandFunctions,
    args: readonly unknown[],
    scope: CallScope | undefined = callScope.getStore(),
  ) {
    super(run.name, undefined, functions.run, args, run.clock, scope);
    this.startedAt = this.now();
  }

  /** Runs the fallback of the definition that made the call. */
  protected override performInstead(run: Substitute): unknown {
    return adopt(run(this.functions, this.args));
  }

  protected override perform(): unknown {
    if (!this.begun) this.run.metrics.begin(this.now());
    return super.perform();
  }

  override finish(): void {
    super.finish();
    if (this.measured) return;
    this.measured = true;
    const now = this.now();
    if (this.failed || this.source !== 'live') return this.measureFailure(now);
    const { metrics, outcomes } = this.run;
    const event = eventOf(this.verdict ?? outcomes.ofResult(this.value), undefined);
    metrics.complete(event, now - this.startedAt, now);
  }

  private measureFailure(now: number): void {
    const { run, startedAt } = this;
    const { metrics } = run;
    if (this.callerHasGone) return this.count(MetricEvent.ignored, now);
    const { error, at } = this.answered ?? { error: this.error, at: now };
    const event = this.eventOf(error);
    this.count(event, now);
    metrics.waitLatency(now - startedAt, now);
    if (this.begun) metrics.workLatency(at - startedAt, now);
    // An error that is an answer or is ignored needs no fallback.
    if (event === MetricEvent.ignored || event === MetricEvent.success) return;
    const answer = answerEventOf(this);
    if (answer !== undefined) metrics.count(answer, now);
  }

  /** A call that never ran was never counted as running. */
  private count(event: MetricEvent, now: number): void {
    if (this.begun) this.run.metrics.end(event, now);
    else this.run.metrics.count(event, now);
  }

  private eventOf(error: unknown): MetricEvent {
    if (error !== undefined && error === this.rejection) return rejectionEventOf(error);
    return eventOf(this.verdict ?? this.run.outcomes.ofError(error), error);
  }
}
