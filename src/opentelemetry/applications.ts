import { takeTurns } from '../common/turns.js';
import type { Buckets } from '../instruments/buckets.js';
import { combinationOf } from '../instruments/instrument.js';
import { type InstrumentKey, instruments } from '../instruments/instruments.js';
import type { HistogramKey } from '../instruments/recorder.js';
import { type Combinable, type Count, combined } from '../instruments/series.js';

export type CountKey = Exclude<InstrumentKey, HistogramKey>;

/** The keys of all instruments, in the order of the list. */
const keys = Object.keys(instruments) as InstrumentKey[];

/** The counters and gauges. */
export const countKeys = keys.filter((key): key is CountKey => !isHistogram(key));

export const histogramKeys = keys.filter(isHistogram);

/** The series of one application, or of several. */
export interface Measured {
  readonly counts: ReadonlyMap<CountKey, Iterable<Count>>;
  readonly histograms: ReadonlyMap<HistogramKey, Iterable<Buckets>>;
}

/** Reads the series of one application. */
export type ReadAll = () => Promise<Measured>;

/** Applications whose metrics go to the same place: each series can have one value only. */
export class Applications {
  private readonly running = new Set<ReadAll>();
  /**
   * The counts of those that have closed: a collection may come later, and a counter never goes down. Replaced, never
   * changed.
   */
  private past: Measured = { counts: new Map(), histograms: new Map() };

  add(application: ReadAll): void {
    this.running.add(application);
  }

  /** Keeps only the counts of an application. */
  async retire(application: ReadAll): Promise<void> {
    if (!this.running.has(application)) return;
    try {
      const last = await application();
      const all = [this.past, { ...last, counts: countersOf(last) }];
      this.past = {
        counts: new Map(joined(countKeys, all, countsOf)),
        histograms: new Map(joined(histogramKeys, all, histogramsOf)),
      };
    } finally {
      this.running.delete(application);
    }
  }

  /** The series of all of them, including those that have closed; read in turns. */
  async read(): Promise<Measured> {
    const { past } = this; // of those that are not read now
    const all = [past, ...(await Promise.all([...this.running].map((read) => read())))];
    return {
      counts: await inTurns(joined(countKeys, all, countsOf)),
      histograms: await inTurns(joined(histogramKeys, all, histogramsOf)),
    };
  }
}

function isHistogram(key: InstrumentKey): key is HistogramKey {
  return instruments[key].kind === 'histogram';
}

function countersOf({ counts }: Measured): Measured['counts'] {
  return new Map([...counts].filter(([key]) => instruments[key].kind === 'counter'));
}

function countsOf({ counts }: Measured): Measured['counts'] {
  return counts;
}

function histogramsOf({ histograms }: Measured): Measured['histograms'] {
  return histograms;
}

/** The series of each instrument, of all that have been measured. */
function* joined<Key extends InstrumentKey, Cell extends Combinable<Cell>>(
  of: readonly Key[],
  all: readonly Measured[],
  seriesOf: (measured: Measured) => ReadonlyMap<Key, Iterable<Cell>>,
): Generator<[Key, readonly Cell[]]> {
  for (const key of of) {
    const series = all.map((each) => seriesOf(each).get(key) ?? []);
    yield [key, combined(series, combinationOf(instruments[key]))];
  }
}

async function inTurns<Key, Value>(entries: Iterable<[Key, Value]>): Promise<Map<Key, Value>> {
  const map = new Map<Key, Value>();
  for await (const [key, value] of takeTurns(entries)) map.set(key, value);
  return map;
}
