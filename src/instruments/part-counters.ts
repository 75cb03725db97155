import type { BreakerReading } from '../policies/circuit-breaker/snapshot.js';
import type { RateLimitSnapshot } from '../policies/rate-limit/snapshot.js';
import type { BreakerState } from '../telemetry/events.js';
import { Growth, type Totals } from './growth.js';
import { type InstrumentKey, instruments } from './instruments.js';
import { Count, Series } from './series.js';
import type { MeasuredBreaker, MeasuredRateLimit, Sources } from './sources.js';

export const STATES: readonly BreakerState[] = ['closed', 'open', 'half-open'];

/** The counters that breakers keep themselves. */
const OF_BREAKERS = {
  breakerTime: ({ timeInStateMs }: BreakerReading): Totals =>
    STATES.map((state) => timeInStateMs[state] / 1_000),
  breakerCalls: ({ judged, slow }: BreakerReading): Totals => [slow, judged - slow],
};

/** The same for rate limits. */
const OF_RATE_LIMITS = {
  rateLimitCalls: ({ admitted, rejected }: RateLimitSnapshot): Totals => [admitted + rejected],
};

type BreakerKey = keyof typeof OF_BREAKERS;
type RateLimitKey = keyof typeof OF_RATE_LIMITS;

/** The counters that parts keep themselves. */
export type PartKey = BreakerKey | RateLimitKey;

/** The values of the second label of each total. */
const SECOND_LABELS: Readonly<Record<PartKey, readonly (string | undefined)[]>> = {
  breakerTime: STATES,
  breakerCalls: ['true', 'false'],
  rateLimitCalls: [undefined],
};

const BREAKER_KEYS = Object.keys(OF_BREAKERS) as BreakerKey[];
const RATE_LIMIT_KEYS = Object.keys(OF_RATE_LIMITS) as RateLimitKey[];

/** Sums the counts of the parts under the names that they are shown by. */
export class PartCounters {
  readonly series: Readonly<Record<PartKey, Series<Count>>> = {
    breakerTime: counter('breakerTime'),
    breakerCalls: counter('breakerCalls'),
    rateLimitCalls: counter('rateLimitCalls'),
  };
  private readonly growth: Readonly<Record<PartKey, Growth>> = {
    breakerTime: new Growth(),
    breakerCalls: new Growth(),
    rateLimitCalls: new Growth(),
  };

  addBreaker(label: string, breaker: MeasuredBreaker, reading: BreakerReading): void {
    for (const key of BREAKER_KEYS) this.add(key, label, breaker, OF_BREAKERS[key](reading));
  }

  addRateLimit(label: string, limit: MeasuredRateLimit, snapshot: RateLimitSnapshot): void {
    for (const key of RATE_LIMIT_KEYS) this.add(key, label, limit, OF_RATE_LIMITS[key](snapshot));
  }

  /** Skips what the parts have counted so far for that counter without it being read. */
  skip(key: PartKey, { breakers, rateLimits }: Pick<Sources, 'breakers' | 'rateLimits'>): void {
    if (isOf(OF_BREAKERS, key)) {
      const totalsOf = OF_BREAKERS[key];
      for (const each of breakers.list({ keys: true })) {
        this.growth[key].of(each, totalsOf(each.reading()));
      }
    } else {
      const totalsOf = OF_RATE_LIMITS[key];
      for (const each of rateLimits.list({ keys: true })) {
        this.growth[key].of(each, totalsOf(each.snapshot()));
      }
    }
  }

  private add(key: PartKey, label: string, part: object, totals: Totals): void {
    const grown = this.growth[key].of(part, totals);
    for (const [i, second] of SECOND_LABELS[key].entries()) {
      this.series[key].at(label, second).value += grown[i]!;
    }
  }
}

export function isPartKey(key: InstrumentKey): key is PartKey {
  return isOf(OF_BREAKERS, key) || isOf(OF_RATE_LIMITS, key);
}

function isOf<T extends object>(all: T, key: PropertyKey): key is keyof T {
  return key in all;
}

function counter(key: PartKey): Series<Count> {
  return new Series(instruments[key], (labels) => new Count(labels));
}
