import type { AdminLine, AdminSample, AdminSeries } from '../../src/admin/contract.js';
import type { History, Values } from './model.js';

type Part = AdminSeries['part'];

/** As many steps as the server keeps: a quarter of an hour. */
const LONGEST_MS = 15 * 60_000;

interface Kept {
  readonly values: Map<AdminLine, (number | null)[]>;
  /** Made when somebody looks, and again after each step. */
  shown: History | undefined;
}

/** The series of all parts, which grow by a step at a time. All have the same steps. */
export class Histories {
  private readonly kept = new Map<string, Kept>();
  private until = 0;
  private stepMs = 5_000;
  /** For each step whether it was missed. */
  private missed: boolean[] = [];

  clear(): void {
    this.kept.clear();
    this.missed = [];
  }

  add({ part, name, until, stepMs, values }: AdminSeries): void {
    const lists = Object.entries(values) as [AdminLine, readonly number[]][];
    for (const [, list] of lists) {
      while (this.missed.length < list.length) this.missed.unshift(false);
    }
    this.until = until;
    this.stepMs = stepMs;
    const copies = lists.map(([line, list]) => [line, [...list]] as [AdminLine, (number | null)[]]);
    this.kept.set(keyOf(part, name), { values: new Map(copies), shown: undefined });
  }

  step(at: number, samples: readonly AdminSample[]): void {
    const longest = Math.round(LONGEST_MS / this.stepMs);
    this.skip(Math.min(longest, Math.round((at - this.until) / this.stepMs) - 1), longest);
    this.until = at;
    const news = new Map(samples.map((sample) => [keyOf(sample.part, sample.name), sample.values]));
    for (const key of news.keys()) {
      if (!this.kept.has(key)) this.kept.set(key, { values: new Map(), shown: undefined });
    }
    for (const [key, kept] of this.kept) {
      kept.shown = undefined;
      const values = news.get(key) ?? {};
      const lines = new Set([...kept.values.keys(), ...(Object.keys(values) as AdminLine[])]);
      for (const line of lines) {
        const list = this.complete(kept.values.get(line) ?? []);
        list.push(values[line] ?? 0);
        if (list.length > longest) list.shift();
        kept.values.set(line, list);
      }
      if (!news.has(key) && isSilent(kept)) this.kept.delete(key);
    }
    this.missed.push(false);
    if (this.missed.length > longest) this.missed.shift();
  }

  /** Steps that were missed while the server was away are gaps. */
  private skip(steps: number, longest: number): void {
    if (this.missed.length === 0 || steps <= 0) return;
    const lengthen = <Item>(list: Item[], item: Item): void => {
      for (let step = 0; step < steps; step++) list.push(item);
      list.splice(0, Math.max(0, list.length - longest));
    };
    for (const { values } of this.kept.values()) {
      for (const list of values.values()) lengthen(this.complete(list), null);
    }
    lengthen(this.missed, true);
  }

  /** A list with all steps: the steps before its own numbers are 0, or gaps where they were missed. */
  private complete(list: (number | null)[]): (number | null)[] {
    while (list.length < this.missed.length) {
      list.unshift(this.missed[this.missed.length - 1 - list.length] ? null : 0);
    }
    return list;
  }

  of(part: Part, name: string): History | undefined {
    const kept = this.kept.get(keyOf(part, name));
    if (kept === undefined || this.missed.length === 0) return undefined;
    return (kept.shown ??= this.show(kept));
  }

  private show({ values }: Kept): History {
    const { until, stepMs } = this;
    const { length } = this.missed;
    const times = Array.from({ length }, (_, at) => (until - (length - 1 - at) * stepMs) / 1_000);
    const line = (name: AdminLine): Values => this.complete([...(values.get(name) ?? [])]);
    return {
      times,
      requests: line('requests'),
      errors: line('errorRate'),
      rejected: line('rejections'),
      retries: line('retries'),
      fallbacks: line('fallbacks'),
      stale: line('stale'),
      p50: line('p50'),
      p95: line('p95'),
      p99: line('p99'),
      running: line('concurrency'),
      waiting: line('queue'),
    };
  }
}

/** The sum of a line over several histories with the same steps; a step that all have missed stays a gap. */
export function summed(
  histories: readonly History[],
  line: 'retries' | 'fallbacks' | 'stale' | 'waiting',
): Values {
  const [first, ...others] = histories.map((history) => history[line]);
  return (first ?? []).map((value, at) =>
    others.reduce<number | null>((sum, list) => plus(sum, list[at] ?? null), value),
  );
}

function plus(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : one + other;
}

/** Whether a part has nothing to show: it is drawn as zeros without being kept. */
function isSilent({ values }: Kept): boolean {
  return [...values.values()].every((list) => list.every((value) => !value));
}

function keyOf(part: Part, name: string): string {
  return `${part} ${name}`;
}
