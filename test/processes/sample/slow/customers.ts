import { setTimeout as sleep } from 'node:timers/promises';
import type { Booksvc } from '../lib/bookshop.js';
import type { Answer } from '../lib/client.js';

/** Customers who ask for the same thing again and again, each after its last answer. */
export interface Customers {
  readonly path: string;
  readonly count: number;
  /** From one question to the next. */
  readonly everyMs: number;
}

/** The answers that customers got. Times are in milliseconds and include those of errors. */
export interface Seen {
  readonly answers: Readonly<Record<Kind, number>>;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

type Kind = Answer['kind'] | 'gave up';

/** After this time a customer gives up. */
export const PATIENCE_MS = 10_000;

/** Lets them ask for some time, and waits for the last answers. */
export async function ask(booksvc: Booksvc, customers: Customers, forMs: number): Promise<Seen> {
  const { path, count, everyMs } = customers;
  const end = performance.now() + forMs;
  const answers = { live: 0, stale: 0, error: 0, 'gave up': 0 };
  const latencies: number[] = [];
  const customer = async (): Promise<void> => {
    let next = performance.now() + Math.random() * everyMs;
    while (next < end) {
      await sleep(next - performance.now());
      const start = performance.now();
      answers[await kindOfAnswer(booksvc, path)] += 1;
      const now = performance.now();
      latencies.push(now - start);
      next = Math.max(start + everyMs, now);
    }
  };
  await Promise.all(Array.from({ length: count }, customer));
  latencies.sort((a, b) => a - b);
  const quantile = (q: number): number => latencies[Math.ceil(q * latencies.length) - 1] ?? NaN;
  return { answers, p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), max: quantile(1) };
}

async function kindOfAnswer(booksvc: Booksvc, path: string): Promise<Kind> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    return (await booksvc.ask(path, patience)).kind;
  } catch {
    return patience.aborted ? 'gave up' : 'error';
  }
}
