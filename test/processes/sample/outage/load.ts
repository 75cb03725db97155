import type { Booksvc, Bookshop } from '../lib/bookshop.js';
import type { Report } from '../lib/report.js';
import { FAILURES_TO_OPEN, MAX_CONCURRENT, MAX_QUEUE, OPEN_FOR_MS, untilLive } from './observe.js';

const REQUESTS = 10_000;
const WARM_UP = 2_000;
const AT_A_TIME = 200;
/** While all is well, few enough that none has to wait for a second. */
const WARM_UP_AT_A_TIME = 20;
/** Memory in use may grow by this much for all requests together; a leak of 200 bytes each would show. */
const USED_SLACK_MB = 2;
/** For resident memory: V8 keeps unused pages, and versions differ in how many. */
const RESIDENT_SLACK_MB = 100;

interface Load {
  readonly statuses: ReadonlyMap<number, number>;
  readonly calls: number;
  readonly tookMs: number;
  readonly slowestMs: number;
}

/** Many customers while the database is away. */
export async function load(shop: Bookshop, worker: Booksvc, report: Report): Promise<void> {
  report.progress(`${REQUESTS} requests, ${AT_A_TIME} at a time, while the database is away`);
  // The first thousands compile the code and open the connections; memory is compared after them.
  await send(worker, WARM_UP, WARM_UP_AT_A_TIME);
  await untilLive(worker, '/');
  await shop.database.kill();
  const first = await send(worker, WARM_UP);
  const before = await memory(worker);
  const second = await send(worker, REQUESTS - WARM_UP);
  const after = await memory(worker);

  const tookMs = first.tookMs + second.tookMs;
  const calls = first.calls + second.calls;
  const served = (first.statuses.get(200) ?? 0) + (second.statuses.get(200) ?? 0);
  // The calls that the bulkhead had let in when the breaker opened, and a probe after each open time.
  const admitted = MAX_CONCURRENT + MAX_QUEUE + FAILURES_TO_OPEN;
  const bound = admitted + Math.ceil(tookMs / OPEN_FOR_MS);
  const slowest = Math.round(Math.max(first.slowestMs, second.slowestMs));
  report.check(
    `${REQUESTS} requests, ${AT_A_TIME} at a time`,
    'no 5xx, calls bounded by bulkhead and breaker, memory flat',
    served === REQUESTS &&
      calls <= bound &&
      after.used - before.used <= USED_SLACK_MB &&
      after.resident - before.resident <= RESIDENT_SLACK_MB,
    `${served} times 200 in ${(tookMs / 1_000).toFixed(1)} s, slowest ${slowest} ms; ${calls} calls; ` +
      `in use ${before.used.toFixed(1)} MB, then ${after.used.toFixed(1)} MB ` +
      `(resident ${Math.round(before.resident)} MB, then ${Math.round(after.resident)} MB)`,
  );
}

async function send(worker: Booksvc, total: number, atATime = AT_A_TIME): Promise<Load> {
  const statuses = new Map<number, number>();
  const callsBefore = worker.proxy.requests;
  const start = performance.now();
  let sent = 0;
  let slowestMs = 0;
  const customer = async (): Promise<void> => {
    while (sent < total) {
      sent += 1;
      const { status, latencyMs } = await worker.ask('/');
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      slowestMs = Math.max(slowestMs, latencyMs);
    }
  };
  await Promise.all(Array.from({ length: atATime }, customer));
  const tookMs = performance.now() - start;
  return { statuses, calls: worker.proxy.requests - callsBefore, tookMs, slowestMs };
}

/** Megabytes: objects and buffers in use after a garbage collection, and resident memory. */
async function memory({ app }: Booksvc): Promise<{ used: number; resident: number }> {
  const { heapUsed, external, rss } = await app.query('memory');
  return { used: (heapUsed + external) / 2 ** 20, resident: rss / 2 ** 20 };
}
