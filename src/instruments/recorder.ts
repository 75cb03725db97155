import type { RateLimitSnapshot } from '../policies/rate-limit/snapshot.js';
import type {
  BreakerState,
  CallEndEvent,
  FallbackEvent,
  StateChangeEvent,
} from '../telemetry/events.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import type { Instrument } from './instrument.js';
import { type KeysOf, instruments } from './instruments.js';
import type { Names } from './names.js';
import { STATES } from './readings.js';
import { Count, type Labels, Series } from './series.js';

/** One series of a histogram. */
export interface Distribution {
  record(value: number): void;
}

export type CounterKey = KeysOf<'counter'>;

export type HistogramKey = KeysOf<'histogram'>;

/** Makes a series of a histogram. */
export type MakeDistribution<D extends Distribution> = (
  key: HistogramKey,
  instrument: Instrument,
  labels: Labels,
) => D;

/** The part of `ResilienceEvents` that is used here; the object may come from another copy of the package. */
export type Listenable = Pick<ResilienceEvents, 'on'>;

/** The result of calls that a retry has saved. */
export const RECOVERED = 'recovered';

export type BreakerTotals = Readonly<Record<BreakerState | 'judged' | 'slow', number>>;

export type RateLimitTotals = Pick<RateLimitSnapshot, 'admitted' | 'rejected'>;

interface HappyCells<D extends Distribution> {
  readonly calls: Count;
  readonly attempts: Count;
  readonly duration: D;
}

/** Counts in the series of the instruments: events, and what parts have counted themselves. */
export class Recorder<D extends Distribution = Distribution> {
  readonly counters: Readonly<Record<CounterKey, Series<Count>>>;
  readonly histograms: Readonly<Record<HistogramKey, Series<D>>>;

  private readonly happy = new Map<string, HappyCells<D>>();

  constructor(
    private readonly names: Names,
    make: MakeDistribution<D>,
  ) {
    const count = (key: CounterKey): Series<Count> =>
      new Series(instruments[key], (labels) => new Count(labels));
    const distribution = (key: HistogramKey): Series<D> =>
      new Series(instruments[key], (labels) => make(key, instruments[key], labels));
    this.counters = {
      calls: count('calls'),
      attempts: count('attempts'),
      retries: count('retries'),
      retryResults: count('retryResults'),
      rejections: count('rejections'),
      timeouts: count('timeouts'),
      breakerTransitions: count('breakerTransitions'),
      breakerTime: count('breakerTime'),
      breakerCalls: count('breakerCalls'),
      breakerProbes: count('breakerProbes'),
      rateLimitCalls: count('rateLimitCalls'),
      fallbacks: count('fallbacks'),
      cacheErrors: count('cacheErrors'),
    };
    this.histograms = {
      callDuration: distribution('callDuration'),
      bulkheadWait: distribution('bulkheadWait'),
      rateLimitWait: distribution('rateLimitWait'),
      staleAge: distribution('staleAge'),
    };
  }

  /** Listens to the events that it counts. @returns a function that ends that */
  listen(events: Listenable): () => void {
    const { counters, histograms } = this;
    const subscriptions = [
      events.on('call-end', (event) => this.ended(event)),
      events.on('retry', ({ name }) => {
        counters.retries.at(this.names.of(name)).value += 1;
      }),
      events.on('retries-exhausted', ({ name, reason }) => {
        counters.retryResults.at(this.names.of(name), reason).value += 1;
      }),
      events.on('rejected', ({ name, code, observed = false }) => {
        counters.rejections.at(this.names.of(name), code, String(observed)).value += 1;
      }),
      events.on('queued', ({ name, waitedMs }) => {
        histograms.bulkheadWait.at(this.names.of(name)).record(waitedMs / 1_000);
      }),
      events.on('throttled', ({ name, waitedMs }) => {
        histograms.rateLimitWait.at(this.names.of(name)).record(waitedMs / 1_000);
      }),
      events.on('timeout', ({ name, scope }) => {
        counters.timeouts.at(this.names.of(name), scope).value += 1;
      }),
      events.on('state-change', (event) => this.changed(event, this.names.of(event.name))),
      events.on('fallback', (event) => this.answered(event, this.names.of(event.name))),
      events.on('cache-error', ({ name, operation }) => {
        counters.cacheErrors.at(this.names.of(name), operation).value += 1;
      }),
    ];
    return () => {
      for (const unsubscribe of subscriptions) unsubscribe();
    };
  }

  /** Adds what a circuit breaker has counted since it was read last, and how long it was in each state, milliseconds. */
  addBreaker(name: string, { judged, slow, ...timeInStateMs }: BreakerTotals): void {
    const { breakerCalls, breakerTime } = this.counters;
    breakerCalls.at(name, 'true').value += slow;
    breakerCalls.at(name, 'false').value += judged - slow;
    for (const state of STATES) breakerTime.at(name, state).value += timeInStateMs[state] / 1_000;
  }

  /** The same for a rate limit. */
  addRateLimit(name: string, { admitted, rejected }: RateLimitTotals): void {
    this.counters.rateLimitCalls.at(name).value += admitted + rejected;
  }

  private ended(event: CallEndEvent): void {
    const { attempts, outcome, source, durationMs } = event;
    if (attempts > 1 || outcome !== 'success' || source !== 'live')
      return this.endedOtherwise(event);
    const cells = this.happy.get(event.name) ?? this.happyCells(event.name);
    cells.calls.value += 1;
    cells.attempts.value += 1;
    cells.duration.record(durationMs / 1_000);
  }

  private endedOtherwise(event: CallEndEvent): void {
    const { counters, histograms } = this;
    const { attempts, outcome, source, rejectedBy, durationMs } = event;
    const name = this.names.of(event.name);
    // A rejection says nothing about the dependency, but much to whoever looks at the calls.
    const shown = outcome === 'ignored' && rejectedBy !== undefined ? 'rejected' : outcome;
    counters.calls.at(name, shown, source).value += 1;
    counters.attempts.at(name).value += attempts;
    if (outcome === 'success' && source === 'live') {
      counters.retryResults.at(name, RECOVERED).value += 1;
    }
    histograms.callDuration.at(name, shown).record(durationMs / 1_000);
  }

  /** The cells of a call that succeeds at the first attempt, as nearly all do: to find them one by one takes longer. */
  private happyCells(given: string): HappyCells<D> {
    const { counters, histograms } = this;
    const name = this.names.of(given);
    const cells = {
      calls: counters.calls.at(name, 'success', 'live'),
      attempts: counters.attempts.at(name),
      duration: histograms.callDuration.at(name, 'success'),
    };
    // Names are of methods, commands and pipelines; those that are made without end have no cells of their own.
    if (name === given) this.happy.set(given, cells);
    return cells;
  }

  private changed({ from, to, counts }: StateChangeEvent, name: string): void {
    const { breakerTransitions, breakerProbes } = this.counters;
    breakerTransitions.at(name, from, to).value += 1;
    if (from !== 'half-open') return;
    breakerProbes.at(name, 'success').value += counts.successes;
    breakerProbes.at(name, 'failure').value += counts.failures;
  }

  private answered({ handler, outcome, stale, ageMs }: FallbackEvent, name: string): void {
    this.counters.fallbacks.at(name, handler, outcome).value += 1;
    if (stale && ageMs !== undefined) this.histograms.staleAge.at(name).record(ageMs / 1_000);
  }
}
