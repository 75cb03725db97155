import { Turns } from '../../common/turns.js';
import type { BreakerSnapshot } from '../../policies/circuit-breaker/snapshot.js';
import type { AdminLine, AdminRecentCalls, AdminSample, AdminSeries } from '../contract.js';
import { MethodCounts, perSecond } from './method-counts.js';
import type { Selection } from './selection.js';
import { STEP, Series, type Values, round } from './series.js';

/** A minute. */
const RECENT_STEPS = 60_000 / STEP;

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
  /** Counts that only grow, up to the latest step. */
  private counted = new Map<string, number>();
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

  /** The calls of a rate limit in the last minute; `undefined` if it is not watched. */
  recent(name: string): AdminRecentCalls | undefined {
    const series = this.series.get(`rateLimit ${name}`);
    if (series === undefined) return undefined;
    const calls = (line: AdminLine): number =>
      Math.round((series.sum(line, RECENT_STEPS) * STEP) / 1_000);
    return { admitted: calls('requests'), rejected: calls('rejections') };
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
    const before = this.counted;
    this.counted = new Map();
    const push = (part: AdminSeries['part'], name: string, values: Values): void => {
      const key = `${part} ${name}`;
      let series = this.series.get(key);
      if (series === undefined) this.series.set(key, (series = new Series(part, name)));
      const sample = series.push(values);
      if (sample !== undefined) items.push(sample);
      seen.add(key);
    };
    // A key may have existed for long before it is watched: its earlier counts do not belong to this step.
    const growthOf = (key: string, count: number, group: string | undefined): number => {
      this.counted.set(key, count);
      const former = before.get(key) ?? (group === undefined ? 0 : count);
      return perSecond(Math.max(0, count - former));
    };
    for (const { part, group } of this.selection.breakers.values()) {
      if (turns.over) await turns.next();
      const snapshot = part.snapshot();
      const rejections = growthOf(`breaker ${part.name}`, snapshot.rejected, group);
      push('breaker', part.name, { ...breakerValues(snapshot), rejections });
    }
    for (const { part, group } of this.selection.bulkheads.values()) {
      if (turns.over) await turns.next();
      const { running, waiting, rejected } = part.snapshot();
      const rejections = growthOf(`bulkhead ${part.name}`, rejected, group);
      push('bulkhead', part.name, { concurrency: running, queue: waiting, rejections });
    }
    for (const { part, group } of this.selection.rateLimits.values()) {
      if (turns.over) await turns.next();
      const { waiting, admitted, rejected } = part.snapshot();
      const requests = growthOf(`allowed ${part.name}`, admitted, group);
      const rejections = growthOf(`rateLimit ${part.name}`, rejected, group);
      push('rateLimit', part.name, { requests, rejections, queue: waiting });
    }
    const counted = this.methods.take();
    for (const [name, counts] of counted) {
      if (turns.over) await turns.next();
      push('method', name, counts.values());
    }
    for (const [key, series] of this.series) {
      if (seen.has(key)) continue;
      // A method without calls; or a part that is not watched any more, which is kept until it has been silent for a while.
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
