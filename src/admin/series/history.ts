import { Turns } from '../../common/turns.js';
import type { BreakerSnapshot } from '../../policies/circuit-breaker/snapshot.js';
import type { AdminSample, AdminSeries } from '../contract.js';
import { MethodCounts, perSecond } from './method-counts.js';
import type { Selection } from './selection.js';
import { Series, type Values, round } from './series.js';

/** A step that has been taken. */
export interface Step {
  readonly at: number;
  readonly items: readonly AdminSample[];
}

/** The last quarter of an hour of the parts that are watched, and of methods. */
export class History {
  readonly methods = new MethodCounts();
  /** The latest step. */
  latest: Step = { at: 0, items: [] };
  private readonly series = new Map<string, Series>();
  /** Rejections of breakers and bulkheads up to the latest step. */
  private rejections = new Map<string, number>();
  private stepping = false;

  constructor(
    private readonly selection: Selection,
    private readonly now: () => number,
  ) {}

  /** Takes a step, in turns: to be called every 5 s. */
  async step(): Promise<void> {
    if (this.stepping) return;
    this.stepping = true;
    try {
      await this.selection.renew();
      await this.take();
    } finally {
      this.stepping = false;
    }
  }

  of(part: AdminSeries['part'], name: string): AdminSeries | undefined {
    return this.series.get(`${part} ${name}`)?.view(this.latest.at);
  }

  /** All that are not silent. */
  *all(): IterableIterator<AdminSeries> {
    for (const series of [...this.series.values()]) {
      if (!series.silent) yield series.view(this.latest.at);
    }
  }

  private async take(): Promise<void> {
    const items: AdminSample[] = [];
    const seen = new Set<string>();
    const turns = new Turns();
    const before = this.rejections;
    this.rejections = new Map();
    const push = (part: AdminSeries['part'], name: string, values: Values): void => {
      const key = `${part} ${name}`;
      let series = this.series.get(key);
      if (series === undefined) this.series.set(key, (series = new Series(part, name)));
      const sample = series.push(values);
      if (sample !== undefined) items.push(sample);
      seen.add(key);
    };
    const rejectedSince = (key: string, rejected: number): number => {
      this.rejections.set(key, rejected);
      return perSecond(Math.max(0, rejected - (before.get(key) ?? 0)));
    };
    for (const { part } of this.selection.breakers.values()) {
      if (turns.over) await turns.next();
      const snapshot = part.snapshot();
      const rejections = rejectedSince(`breaker ${part.name}`, snapshot.rejected);
      push('breaker', part.name, { ...breakerValues(snapshot), rejections });
    }
    for (const { part } of this.selection.bulkheads.values()) {
      if (turns.over) await turns.next();
      const { running, waiting, rejected } = part.snapshot();
      const rejections = rejectedSince(`bulkhead ${part.name}`, rejected);
      push('bulkhead', part.name, { concurrency: running, queue: waiting, rejections });
    }
    const counted = this.methods.take();
    for (const [name, counts] of counted) {
      if (turns.over) await turns.next();
      push('method', name, counts.values());
    }
    for (const [key, series] of this.series) {
      if (seen.has(key)) continue;
      // A method without calls; or a part that is not watched any more, which is kept until it has been silent for long.
      series.push(series.zero);
      if (series.silent) this.series.delete(key);
    }
    this.latest = { at: this.now(), items };
  }
}

function breakerValues({ metrics }: BreakerSnapshot): Values {
  const { counts, windowMs, latency, concurrency } = metrics;
  const failures = counts.failure + counts.timeout;
  const requests = counts.success + failures + counts.ignored;
  return {
    requests: round(requests / (windowMs / 1_000)),
    errorRate: requests === 0 ? 0 : round(failures / requests),
    p50: round(latency.p50),
    p95: round(latency.p95),
    p99: round(latency.p99),
    concurrency: concurrency.now,
  };
}
