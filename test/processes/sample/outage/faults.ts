import { setTimeout as sleep } from 'node:timers/promises';
import type { Booksvc } from '../lib/bookshop.js';
import type { Fault } from '../lib/fault-proxy.js';
import { until } from '../../../../sample/launcher/src/net.js';
import {
  AT_ONCE_MS,
  breakerOf,
  brief,
  observe,
  OPEN_FOR_MS,
  SLACK_MS,
  TOTAL_TIMEOUT_MS,
  toRow,
  untilLive,
  untilOpen,
} from './observe.js';
import type { OutageReport } from './report.js';

/** Long enough for a second attempt to show: the first backoff of 500 ms with its jitter, and a margin. */
const NO_MORE_ATTEMPTS_MS = 1_500;

/** Wrong answers of storagesvc, made by the proxies; four booksvc work through them side by side. */
export async function faults(workers: readonly Booksvc[], report: OutageReport): Promise<void> {
  report.progress(
    'wrong answers: 500, 502, 503, 504, 404, malformed JSON, reset; probes; disconnects',
  );
  const chains = [
    async (worker: Booksvc, part: OutageReport) => {
      await fault(worker, '500', { status: 500 }, part);
      await hungProbe(worker, part);
    },
    async (worker: Booksvc, part: OutageReport) => {
      await fault(worker, '502', { status: 502 }, part);
      await concurrentProbe(worker, part);
      await notFound(worker, part);
      await disconnect(worker, part);
    },
    async (worker: Booksvc, part: OutageReport) => {
      await fault(worker, '503', { status: 503 }, part);
      await untilLive(worker, '/');
      await fault(worker, 'malformed JSON', 'malformed', part);
    },
    async (worker: Booksvc, part: OutageReport) => {
      await fault(worker, '504', { status: 504 }, part);
      await untilLive(worker, '/');
      await fault(worker, 'reset', 'reset', part);
    },
  ];
  const parts = await Promise.all(
    workers.map(async (worker, index) => {
      const part = report.part();
      await untilLive(worker, '/');
      await chains[index]?.(worker, part);
      return part;
    }),
  );
  parts.forEach((part) => report.add(part));
}

async function fault(
  worker: Booksvc,
  name: string,
  kind: Fault,
  report: OutageReport,
): Promise<void> {
  const { answer } = await observe(worker);
  worker.proxy.fault = kind;
  const first = await observe(worker);
  await untilOpen(worker, '/');
  worker.proxy.fault = 'none';
  report.phase([toRow(`storagesvc answers ${name}`, '/', first)]);
  report.check(
    `storagesvc answers ${name}`,
    '200 stale within the total timeout, cache unchanged',
    first.answer.kind === 'stale' &&
      first.answer.body === answer.body &&
      first.answer.latencyMs <= TOTAL_TIMEOUT_MS + SLACK_MS,
    brief(first),
  );
}

/** The breaker is open: when its open time is over, the next call is a probe, and hangs. */
async function hungProbe(worker: Booksvc, report: OutageReport): Promise<void> {
  worker.proxy.fault = 'hang';
  const before = worker.proxy.requests;
  let probe = await observe(worker);
  await until('a probe is sent', async () => {
    probe = await observe(worker);
    return worker.proxy.requests > before;
  });
  worker.proxy.fault = 'none';
  report.phase([toRow('hung probe', '/', probe)]);
  const { tookMs, last } = await untilLive(worker, '/');
  report.check(
    'hung probe',
    'the breaker recovers by itself',
    probe.answer.kind === 'stale' && tookMs <= OPEN_FOR_MS + SLACK_MS && last.breaker === 'closed',
    `probe: ${brief(probe)}; live ${Math.round(tookMs)} ms later`,
  );
}

/** The breaker is open: when its open time is over, the next call is a probe, and is held while others come. */
async function concurrentProbe(worker: Booksvc, report: OutageReport): Promise<void> {
  const { proxy } = worker;
  proxy.hold();
  const before = proxy.requests;
  let probe = observe(worker);
  // Answers come back at once until one of the requests is the probe, which waits.
  while (await Promise.race([probe.then(() => true), sleep(AT_ONCE_MS, false)])) {
    probe = observe(worker);
    await sleep(50);
  }
  const other = await observe(worker);
  const calls = proxy.requests - before;
  proxy.letGo();
  const decided = await probe;
  report.phase([toRow('beside a probe', '/', other), toRow('the probe', '/', decided)]);
  report.check(
    'two requests while a probe runs',
    'the probe decides, the other is 200 stale at once',
    other.answer.kind === 'stale' &&
      other.answer.latencyMs <= AT_ONCE_MS &&
      calls === 1 &&
      decided.answer.kind === 'live' &&
      decided.breaker === 'closed',
    `other: ${brief(other)}; probe: ${brief(decided)}`,
  );
}

async function notFound(worker: Booksvc, report: OutageReport): Promise<void> {
  const { answer: before } = await observe(worker);
  worker.proxy.fault = { status: 404 };
  const seen = [await observe(worker), await observe(worker), await observe(worker)];
  const breaker = await breakerOf(worker, '/');
  // Only an error that a fallback answers shows what is in the cache.
  worker.proxy.fault = { status: 500 };
  const { answer: after } = await observe(worker);
  worker.proxy.fault = 'none';
  const [first] = seen;
  if (first === undefined) {
    return;
  }
  report.phase([toRow('storagesvc answers 404', '/', first)]);
  report.check(
    'storagesvc answers 404',
    '404, not retried, not counted, cache unchanged',
    seen.every(({ answer, calls }) => answer.status === 404 && calls === 1) &&
      breaker === 'closed' &&
      after.kind === 'stale' &&
      after.body === before.body,
    `${seen.length} times ${brief(first)}`,
  );
  await untilLive(worker, '/');
}

async function disconnect(worker: Booksvc, report: OutageReport): Promise<void> {
  const { proxy } = worker;
  proxy.fault = { status: 500 };
  const before = proxy.requests;
  const client = new AbortController();
  const request = worker.ask('/', client.signal).catch(() => undefined);
  await until('the first attempt is made', () => proxy.requests > before, { everyMs: 5 });
  await sleep(100);
  client.abort();
  await request;
  await sleep(NO_MORE_ATTEMPTS_MS);
  const calls = proxy.requests - before;
  proxy.fault = 'none';
  report.check(
    'client disconnects',
    'no further attempts',
    calls === 1,
    `${calls} call in all, ${NO_MORE_ATTEMPTS_MS} ms later`,
  );
}
