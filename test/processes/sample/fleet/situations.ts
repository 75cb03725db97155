import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../lib/report.js';
import type { RedisUnderTest } from '../redis/redis-under-test.js';
import { type Fleet, OPEN_FOR_MS, type Served } from './fleet.js';

/** A stale answer must not wait for anything. */
const AT_ONCE_MS = 100;

/** For messages, timers and the watch over the proxies. */
const JITTER_MS = 150;

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

const brief = ({ answers, failed, slowestMs }: Served): string =>
  `${answers} answers, ${failed} failed, slowest ${Math.round(slowestMs)} ms`;

/** One instance alone sees the outage. */
export async function openForAll(fleet: Fleet, report: Report): Promise<void> {
  report.progress('storagesvc fails; only the first instance has customers');
  const [first, ...others] = fleet.instances;
  fleet.storagesvcFails(true);
  const before = others.map(({ booksvc }) => booksvc.proxy.requests);
  const asked = first!.booksvc.ask('/');
  const tookMs = await fleet.untilAll('open');
  const answers = await Promise.all(others.map(({ booksvc }) => booksvc.ask('/')));
  await asked;
  const calls = others.reduce(
    (sum, { booksvc }, at) => sum + booksvc.proxy.requests - before[at]!,
    0,
  );
  report.check(
    'one instance sees the outage',
    'the circuit opens everywhere; the others never ask storagesvc',
    calls === 0,
    `open everywhere ${seconds(tookMs)} after the first request, ${calls} calls of the others`,
  );
  const stale = answers.filter(({ kind }) => kind === 'stale').length;
  const slowest = Math.max(...answers.map(({ latencyMs }) => latencyMs));
  report.check(
    'customers of the others',
    `stale books within ${AT_ONCE_MS} ms`,
    stale === answers.length && slowest <= AT_ONCE_MS,
    `${stale} of ${answers.length} stale, slowest ${Math.round(slowest)} ms`,
  );
}

/** Customers come to all, and each open time ends in one probe of one instance. */
export async function probeOnce(fleet: Fleet, report: Report): Promise<void> {
  report.progress('customers come to all three while storagesvc fails');
  const served = await fleet.serve(() => sleep(7 * OPEN_FOR_MS));
  const { calls } = served;
  const gaps = calls.slice(1).map((at, index) => at - calls[index]!);
  const shortest = Math.min(...gaps);
  report.check(
    'each time the open time is over',
    'one probe in all instances together (halfOpen.maxCalls is 1)',
    calls.length >= 3 && shortest >= OPEN_FOR_MS - JITTER_MS,
    `${calls.length} calls in ${seconds(7 * OPEN_FOR_MS)}, never two within ${seconds(shortest)}`,
  );
  report.check('meanwhile', 'no failed request', served.failed === 0, brief(served));
}

export async function recover(fleet: Fleet, report: Report): Promise<void> {
  report.progress('storagesvc is well again');
  fleet.storagesvcFails(false);
  let tookMs = 0;
  const served = await fleet.serve(async () => {
    tookMs = await fleet.untilAll('closed');
  });
  report.check(
    'storagesvc is well again',
    'one good probe closes the circuit everywhere; no failed request',
    served.failed === 0 && tookMs <= 3 * OPEN_FOR_MS,
    `closed everywhere after ${seconds(tookMs)}; ${brief(served)}`,
  );
}

/** An operator holds the circuit open at one instance. */
export async function holdOpen(fleet: Fleet, report: Report): Promise<void> {
  report.progress('the circuit is held open at the second instance');
  const [, second, third] = fleet.instances;
  const held = await fleet.change(second!, 'force-open', { by: 'anna', reason: 'migration' });
  const tookMs = await fleet.untilAll('forced-open');
  const { kind } = await third!.booksvc.ask('/');
  report.check(
    'held open at one instance',
    'holds everywhere, with stale books',
    held < 300 && kind === 'stale' && tookMs <= 2 * OPEN_FOR_MS,
    `status ${held}, everywhere after ${seconds(tookMs)}, ${kind} at another one`,
  );
  const cleared = await fleet.change(third!, 'clear', { by: 'anna', reason: 'done' });
  const clearedMs = await fleet.untilAll('closed');
  report.check(
    'let go at another instance',
    'closed everywhere',
    cleared < 300,
    `status ${cleared}, everywhere after ${seconds(clearedMs)}`,
  );
}

/** Redis is taken away in every way, with and without an outage of storagesvc. */
export async function troubleWithRedis(
  fleet: Fleet,
  redis: RedisUnderTest,
  report: Report,
): Promise<void> {
  const troubles: readonly [string, () => unknown, () => unknown][] = [
    ['killed', () => redis.stop(), () => redis.start()],
    ['frozen', () => redis.freeze(), () => redis.thaw()],
  ];
  for (const [how, away, back] of troubles) {
    report.progress(`Redis is ${how}`);
    const served = await fleet.serve(async () => {
      await away();
      await sleep(OPEN_FOR_MS);
      fleet.storagesvcFails(true);
      await fleet.untilAll('open');
      await sleep(2 * OPEN_FOR_MS);
      await back();
      await sleep(2 * OPEN_FOR_MS);
      fleet.storagesvcFails(false);
      await fleet.untilAll('closed');
    });
    report.check(
      `Redis is ${how} and comes back, and storagesvc fails meanwhile`,
      'no failed request',
      served.failed === 0,
      brief(served),
    );
  }
  const again = await fleet.serve(async () => {
    fleet.storagesvcFails(true);
    await fleet.untilAll('open');
    fleet.storagesvcFails(false);
    await fleet.untilAll('closed');
  });
  report.check('after that', 'opened and closed together again', again.failed === 0, brief(again));
}
