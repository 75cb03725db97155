import type { BreakerState } from '../telemetry/events.js';
import { Growth } from './growth.js';
import { instruments } from './instruments.js';
import { Count, Series } from './series.js';
import type { MeasuredBreaker, MeasuredRateLimit, Sources } from './sources.js';

export const STATES: readonly BreakerState[] = ['closed', 'open', 'half-open'];

/** The counters that parts keep themselves. */
export type PartKey = 'breakerTime' | 'breakerCalls' | 'rateLimitCalls';

/** Sums the counts of the parts under the names that they are shown by. */
export class PartCounters {
  readonly series: Readonly<Record<PartKey, Series<Count>>> = {
    breakerTime: counter('breakerTime'),
    breakerCalls: counter('breakerCalls'),
    rateLimitCalls: counter('rateLimitCalls'),
  };
  private readonly growth = new Growth();

  addBreaker(label: string, breaker: MeasuredBreaker): void {
    const { judged, slow, ...timeInStateMs } = this.grownBreaker(breaker);
    const { breakerTime, breakerCalls } = this.series;
    breakerCalls.at(label, 'true').value += slow;
    breakerCalls.at(label, 'false').value += judged - slow;
    for (const state of STATES) breakerTime.at(label, state).value += timeInStateMs[state] / 1_000;
  }

  addRateLimit(label: string, limit: MeasuredRateLimit): void {
    const { admitted, rejected } = this.grownRateLimit(limit);
    this.series.rateLimitCalls.at(label).value += admitted + rejected;
  }

  /** Leaves out all that the parts have counted so far and nobody has read. */
  skip({ breakers, rateLimits }: Pick<Sources, 'breakers' | 'rateLimits'>): void {
    for (const breaker of breakers.list({ keys: true })) this.grownBreaker(breaker);
    for (const limit of rateLimits.list({ keys: true })) this.grownRateLimit(limit);
  }

  private grownBreaker(breaker: MeasuredBreaker) {
    const { judged, slow, timeInStateMs } = breaker.reading();
    return this.growth.of(breaker, { judged, slow, ...timeInStateMs });
  }

  private grownRateLimit(limit: MeasuredRateLimit) {
    const { admitted, rejected } = limit.snapshot();
    return this.growth.of(limit, { admitted, rejected });
  }
}

function counter(key: PartKey): Series<Count> {
  return new Series(instruments[key], (labels) => new Count(labels));
}
