import { type Booksvc, Bookshop } from './lib/bookshop.js';
import { play } from './lib/experiment.js';
import { until } from '../../../sample/launcher/src/net.js';
import { print } from './lib/output.js';
import { brief, type Observation, observe, untilLive, untilOpen } from './outage/observe.js';
import { OutageReport } from './outage/report.js';
import { OwnRedis, ProxiedRedis, type RedisUnderTest } from './redis/redis-under-test.js';

/** The time that `staleIfError` gives a read of the cache, with a margin for a busy machine. */
const READ_BUDGET_MS = 250;
const SLACK_MS = 200;
/** Enough to see those that start a read of the cache and those that join one. */
const ANSWERS = 20;

async function experiment(
  shop: Bookshop,
  redis: RedisUnderTest,
  report: OutageReport,
): Promise<void> {
  await Promise.all([shop.startDatabase(), shop.startStoragesvc()]);
  report.progress('Redis is stopped while booksvc starts');
  const booksvc = await shop.booksvc({ REDIS_URL: redis.url });
  await live('stopped before the start', booksvc, report);
  await unavailable('stopped before the start, storagesvc fails', booksvc, report);

  report.progress('Redis comes');
  await redis.start();
  await stale('Redis has come, storagesvc fails', booksvc, report);
  await shared('a new booksvc, storagesvc fails', shop, redis, report);

  report.progress('Redis is frozen');
  redis.freeze();
  await live('frozen', booksvc, report);
  await unavailable('frozen, storagesvc fails', booksvc, report);
  redis.thaw();
  await stale('goes on, storagesvc fails', booksvc, report);

  report.progress('Redis is stopped');
  await redis.stop();
  await live('stopped while booksvc runs', booksvc, report);
  await unavailable('stopped while booksvc runs, storagesvc fails', booksvc, report);

  report.progress('Redis is back');
  await redis.start();
  await stale('is back, storagesvc fails', booksvc, report);
  const { deaths } = shop;
  report.check('all along', 'no process ends by itself', deaths.length === 0, deaths.join());
}

/** storagesvc is well: customers must not notice the trouble with Redis. */
async function live(situation: string, booksvc: Booksvc, report: OutageReport): Promise<void> {
  await untilLive(booksvc, '/');
  const seen = await observe(booksvc);
  const { kind, latencyMs } = seen.answer;
  const holds = kind === 'live' && latencyMs <= READ_BUDGET_MS + SLACK_MS;
  report.check(situation, '200 live, without waiting for the cache', holds, brief(seen));
}

/** storagesvc fails and Redis too: there is nothing to answer with, and that is said in time. */
async function unavailable(
  situation: string,
  booksvc: Booksvc,
  report: OutageReport,
): Promise<void> {
  booksvc.proxy.fault = { status: 500 };
  // On this route nothing is tried again, so the first answer shows how long a read of the cache takes.
  const first = await observe(booksvc, '/circuit-breaker');
  const open = await whileOpen(booksvc);
  const seen = first.answer.latencyMs > open.answer.latencyMs ? first : open;
  const holds =
    [first, open].every(({ answer }) => answer.status === 503 && answer.retryAfter !== undefined) &&
    seen.answer.latencyMs <= READ_BUDGET_MS + SLACK_MS;
  report.check(
    situation,
    '503 with Retry-After within the budget of the cache',
    holds,
    brief(seen),
  );
  await untilLive(booksvc, '/');
}

/** storagesvc fails, and Redis has the books (again, after a while for connecting and storing them). */
async function stale(situation: string, booksvc: Booksvc, report: OutageReport): Promise<void> {
  await until('booksvc is connected to Redis again', async () => {
    await untilLive(booksvc, '/');
    const { answer } = await whileOpen(booksvc);
    return answer.kind === 'stale';
  });
  const seen = await observe(booksvc);
  const { kind, latencyMs } = seen.answer;
  const holds = kind === 'stale' && latencyMs <= READ_BUDGET_MS + SLACK_MS;
  report.check(situation, '200 stale within the budget of the cache', holds, brief(seen));
  await untilLive(booksvc, '/');
}

/** One process answers from the entries of another: the cache is Redis and not memory. */
async function shared(
  situation: string,
  shop: Bookshop,
  redis: RedisUnderTest,
  report: OutageReport,
): Promise<void> {
  const other = await shop.booksvc({ REDIS_URL: redis.url });
  const seen = await whileOpen(other);
  const holds = seen.answer.kind === 'stale';
  report.check(situation, '200 stale: the books that the other has stored', holds, brief(seen));
  await other.app.stop();
}

/** Nothing waits for a retry, so the time goes to the cache. @returns the slowest of some answers */
async function whileOpen(booksvc: Booksvc): Promise<Observation> {
  booksvc.proxy.fault = { status: 500 };
  await untilOpen(booksvc, '/');
  let slowest = await observe(booksvc);
  for (let count = 1; count < ANSWERS; count++) {
    const seen = await observe(booksvc);
    slowest = seen.answer.latencyMs > slowest.answer.latencyMs ? seen : slowest;
  }
  booksvc.proxy.fault = 'none';
  return slowest;
}

async function findRedis(): Promise<RedisUnderTest | undefined> {
  const url = process.env['REDIS_URL'];
  return url === undefined || url === '' ? OwnRedis.create() : ProxiedRedis.create(url);
}

const redis = await findRedis();
if (redis === undefined) {
  print('Skipped: install redis-server, or set REDIS_URL, to run the Redis check.');
  process.exit(process.env['CI'] === 'true' ? 1 : 0);
}
const shop = await Bookshop.create();
const report = new OutageReport();
print(`Redis check with ${redis.description}.`);
await play(
  report,
  () => experiment(shop, redis, report),
  () => Promise.all([shop.close(), redis.stop()]),
);
