import type { BulkheadSnapshot } from '../policies/bulkhead/snapshot.js';
import type { BreakerReading } from '../policies/circuit-breaker/snapshot.js';
import type { RateLimitSnapshot } from '../policies/rate-limit/snapshot.js';
import type { OverrideKind } from '../telemetry/events.js';
import type { Instrument } from './instrument.js';
import { type KeysOf, instruments } from './instruments.js';
import { Count, Series } from './series.js';
import { STATES } from './part-counters.js';

/** The part of a fleet that is measured. */
export interface FleetReading {
  /** Of its store. */
  readonly kind: string;
  readonly degraded: boolean;
  /** How many instances are alive. */
  readonly living: number;
}

/** The instruments whose values are read from the parts. */
export type ReadKey = KeysOf<'gauge'>;

const OVERRIDES: readonly OverrideKind[] = ['forced-open', 'disabled', 'observe-only'];

/** The readings of the parts at one moment. Several parts may be summed under one name. */
export class Readings {
  readonly series: Readonly<Record<ReadKey, Series<Count>>> = {
    breakerState: reading(instruments.breakerState),
    breakerFailureRatio: reading(instruments.breakerFailureRatio),
    breakerSlowRatio: reading(instruments.breakerSlowRatio),
    breakerOverride: reading(instruments.breakerOverride),
    bulkheadLimit: reading(instruments.bulkheadLimit),
    bulkheadInUse: reading(instruments.bulkheadInUse),
    bulkheadWaiting: reading(instruments.bulkheadWaiting),
    rateLimitBurst: reading(instruments.rateLimitBurst),
    rateLimitRemaining: reading(instruments.rateLimitRemaining),
    rateLimitWaiting: reading(instruments.rateLimitWaiting),
    storeDegraded: reading(instruments.storeDegraded),
    fleetInstances: reading(instruments.fleetInstances),
    eventLoopLag: reading(instruments.eventLoopLag),
  };

  /** Ratios cannot be summed: of several breakers, the highest counts. */
  addBreaker(name: string, { state, override, ...rest }: BreakerReading): void {
    const { series } = this;
    for (const each of STATES) {
      series.breakerState.at(name, each).value += Number(each === state);
    }
    for (const kind of OVERRIDES) {
      series.breakerOverride.at(name, kind).value += Number(override?.kind === kind);
    }
    raise(series.breakerFailureRatio.at(name), rest.failureRate);
    raise(series.breakerSlowRatio.at(name), rest.slowCallRate);
  }

  addBulkhead(name: string, { maxConcurrent, running, waiting }: BulkheadSnapshot): void {
    const { series } = this;
    series.bulkheadLimit.at(name).value += maxConcurrent;
    series.bulkheadInUse.at(name).value += running;
    series.bulkheadWaiting.at(name).value += waiting;
  }

  addRateLimit(name: string, { burst, remaining, waiting }: RateLimitSnapshot): void {
    const { series } = this;
    series.rateLimitBurst.at(name).value += burst;
    series.rateLimitRemaining.at(name).value += remaining;
    series.rateLimitWaiting.at(name).value += waiting;
  }

  addFleet({ kind, degraded, living }: FleetReading): void {
    const { series } = this;
    series.storeDegraded.at(kind).value = Number(degraded);
    series.fleetInstances.at(kind).value = living;
  }

  addLag(quantile: string, seconds: number): void {
    this.series.eventLoopLag.at(quantile).value = seconds;
  }
}

function reading(instrument: Instrument): Series<Count> {
  return new Series(instrument, (labels) => new Count(labels));
}

function raise(count: Count, value: number): void {
  count.value = Math.max(count.value, value);
}
