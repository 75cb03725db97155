import type { Clock } from '../common/clock.js';
import { isResilienceError } from '../common/errors.js';
import type { OutcomeRule } from '../common/outcome.js';
import { type CallScope, callScope } from '../pipeline/call-scope.js';
import { fallbackEventOf } from '../pipeline/call.js';
import { eventOf } from '../telemetry/metrics/event-of.js';
import { MetricEvent, type RollingMetrics } from '../telemetry/metrics/metrics.js';
import { FunctionCall, type Work } from './function-call.js';

/** What the calls of one command share. */
export interface CommandRun {
  readonly name: string;
  readonly clock: Clock;
  readonly metrics: RollingMetrics;
  readonly outcomes: OutcomeRule;
}

/** What never ran took no time. */
const NOT_RUN: ReadonlySet<MetricEvent> = new Set([
  MetricEvent.circuitOpen,
  MetricEvent.bulkheadFull,
]);

/** A call of a command, which counts how it went. */
export class CommandCall extends FunctionCall {
  private readonly startedAt: number;
  private measured = false;

  constructor(
    private readonly run: CommandRun,
    self: { readonly run: Work },
    args: readonly unknown[],
    scope: CallScope | undefined = callScope.getStore(),
  ) {
    super(run.name, self, self.run, args, run.clock, scope);
    this.startedAt = this.now();
    run.metrics.begin(this.startedAt);
  }

  override finish(): void {
    super.finish();
    if (this.measured) return;
    this.measured = true;
    this.measure(this.now());
  }

  private measure(now: number): void {
    const { run, startedAt } = this;
    const { metrics } = run;
    if (this.cancelled) return metrics.end(MetricEvent.ignored, now);
    if (!this.failed && this.source === 'live') {
      metrics.end(eventOf(run.outcomes.ofResult(this.value), undefined), now);
      return metrics.latency(now - startedAt, now);
    }
    const { error, at } = this.answered ?? { error: this.error, at: now };
    const event = this.eventOf(error);
    metrics.end(event, now);
    metrics.waitLatency(now - startedAt, now);
    if (!NOT_RUN.has(event)) metrics.workLatency(at - startedAt, now);
    if (event === MetricEvent.ignored) return;
    const fallback = fallbackEventOf(this);
    if (fallback !== undefined) metrics.count(fallback, now);
  }

  private eventOf(error: unknown): MetricEvent {
    if (isResilienceError(error, 'CIRCUIT_OPEN')) return MetricEvent.circuitOpen;
    return eventOf(this.run.outcomes.ofError(error), error);
  }
}
