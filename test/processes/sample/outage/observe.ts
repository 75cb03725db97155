import type { Answer } from '../lib/client.js';
import type { Booksvc } from '../lib/bookshop.js';
import { until } from '../../../../sample/launcher/src/net.js';
import type { Row } from './report.js';

export const ROUTES = ['/', '/circuit-breaker', '/retry', '/books/1'] as const;
export type Route = (typeof ROUTES)[number];

const BREAKERS: Readonly<Record<Route, string>> = {
  '/': 'storagesvc',
  '/circuit-breaker': 'circuit-breaker',
  '/retry': '-',
  '/books/1': 'storagesvc',
};

/** The default settings of booksvc that the expectations are about. */
export const TOTAL_TIMEOUT_MS = 5_000;
export const OPEN_FOR_MS = 5_000;
export const FAILURES_TO_OPEN = 3;
export const MAX_CONCURRENT = 20;
export const MAX_QUEUE = 100;
/** "At once", on a busy machine; a retry would wait for at least 250 ms. */
export const AT_ONCE_MS = 200;
/** Processes, timers and a busy machine may add this much. */
export const SLACK_MS = 750;

export interface Observation {
  readonly answer: Answer;
  readonly attempts: number;
  readonly calls: number;
  readonly breaker: string;
}

export function breakerOf(booksvc: Booksvc, route: Route): Promise<string> {
  return route === '/retry' ? Promise.resolve('-') : booksvc.breaker(BREAKERS[route]);
}

export async function observe(booksvc: Booksvc, route: Route = '/'): Promise<Observation> {
  const { requests } = booksvc.proxy;
  const { attempts } = booksvc;
  const answer = await booksvc.ask(route);
  const breaker = await breakerOf(booksvc, route);
  return {
    answer,
    attempts: booksvc.attempts - attempts,
    calls: booksvc.proxy.requests - requests,
    breaker,
  };
}

export function toRow(
  phase: string,
  route: Route,
  { answer, attempts, calls, breaker }: Observation,
): Row {
  const { status, kind, ageSeconds, latencyMs } = answer;
  return { phase, route, status, answer: kind, ageSeconds, latencyMs, attempts, calls, breaker };
}

/** Sends requests until the breaker is open. */
export async function untilOpen(booksvc: Booksvc, route: Route): Promise<void> {
  await until(`the breaker of ${route} opens`, async () => {
    if ((await breakerOf(booksvc, route)) === 'open') {
      return true;
    }
    await booksvc.ask(route);
    return false;
  });
}

/** Asks as customers do until an answer is live again. @returns how long that took, and that answer */
export async function untilLive(
  booksvc: Booksvc,
  route: Route,
): Promise<{ tookMs: number; last: Observation }> {
  const start = performance.now();
  let last = await observe(booksvc, route);
  await until(
    `GET ${route} is live`,
    async () => {
      last = await observe(booksvc, route);
      return last.answer.kind === 'live';
    },
    { timeoutMs: 20_000, everyMs: 100 },
  );
  return { tookMs: performance.now() - start, last };
}

export function brief({ answer, calls, breaker }: Observation): string {
  const kind = answer.kind === 'error' ? '' : ` ${answer.kind}`;
  const ms = Math.round(answer.latencyMs);
  return `${answer.status}${kind}, ${ms} ms, calls ${calls}, breaker ${breaker}`;
}
