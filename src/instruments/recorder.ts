import type { CallMeter, MeasuredCall } from '../telemetry/call-meter.js';
import type { FallbackEvent, StateChangeEvent } from '../telemetry/events.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import type { Instrument } from './instrument.js';
import { type KeysOf, instruments } from './instruments.js';
import type { Names } from './names.js';
import type { PartKey } from './part-counters.js';
import { Count, type Labels, Series } from './series.js';

/** One series of a histogram. */
export interface Distribution {
  record(value: number): void;
}

/** The counters that follow from calls and events. */
export type RecordedKey = Exclude<KeysOf<'counter'>, PartKey>;

export type HistogramKey = KeysOf<'histogram'>;

/** Makes a series of a histogram. */
export type MakeDistribution<D extends Distribution> = (
  key: HistogramKey,
  instrument: Instrument,
  labels: Labels,
) => D;

/** The part of `ResilienceEvents` that is used here; the object may come from another copy of the package. */
export type Listenable = Pick<ResilienceEvents, 'on' | 'meters'>;

/** The result of calls that a retry has saved. */
export const RECOVERED = 'recovered';

interface HappyCells<D extends Distribution> {
  readonly calls: Count;
  readonly attempts: Count;
  readonly duration: D;
}

/** Counts calls and events in the series of the instruments. */
export class Recorder<D extends Distribution = Distribution> implements CallMeter {
  readonly counters: Readonly<Record<RecordedKey, Series<Count>>>;
  readonly histograms: Readonly<Record<HistogramKey, Series<D>>>;

  private readonly happy = new Map<string, HappyCells<D>>();

  constructor(
    private readonly names: Names,
    make: MakeDistribution<D>,
  ) {
    const count = (key: RecordedKey): Series<Count> =>
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
      breakerProbes: count('breakerProbes'),
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

  /** Counts from now on. @returns a function that ends that */
  listen(events: Listenable): () => void {
    const { counters, histograms } = this;
    const subscriptions = [
      events.meters.add(this),
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

  succeeded(name: string, durationMs: number): void {
    const cells = this.happy.get(name) ?? this.happyCells(name);
    cells.calls.value += 1;
    cells.attempts.value += 1;
    cells.duration.record(durationMs / 1_000);
  }

  ended({ name, attempts, outcome, source, durationMs }: MeasuredCall, rejected: boolean): void {
    const { counters, histograms } = this;
    const label = this.names.of(name);
    // A rejection says nothing about the dependency, but matters to observers of the calls.
    const shown = outcome === 'ignored' && rejected ? 'rejected' : outcome;
    counters.calls.at(label, shown, source).value += 1;
    counters.attempts.at(label).value += attempts;
    if (attempts > 1 && outcome === 'success' && source === 'live') {
      counters.retryResults.at(label, RECOVERED).value += 1;
    }
    histograms.callDuration.at(label, shown).record(durationMs / 1_000);
  }

  /** The cells of a call that succeeds at the first attempt, as nearly all do: finding them one by one takes longer. */
  private happyCells(given: string): HappyCells<D> {
    const { counters, histograms } = this;
    const name = this.names.of(given);
    const cells = {
      calls: counters.calls.at(name, 'success', 'live'),
      attempts: counters.attempts.at(name),
      duration: histograms.callDuration.at(name, 'success'),
    };
    // Names are of methods, commands and pipelines; those that are created endlessly have no cells of their own.
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
