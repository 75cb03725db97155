import { Bookshop } from './lib/bookshop.js';
import { play } from './lib/experiment.js';
import { print } from './lib/output.js';
import { Report } from './lib/report.js';
import { Fleet, TOKEN } from './fleet/fleet.js';
import { OwnRedis, ProxiedRedis, type RedisUnderTest } from './redis/redis-under-test.js';
import { holdOpen, openForAll, probeOnce, recover, troubleWithRedis } from './fleet/situations.js';

async function experiment(shop: Bookshop, redis: RedisUnderTest, report: Report): Promise<void> {
  await Promise.all([redis.start(), shop.startDatabase(), shop.startStoragesvc()]);
  const fleet = await Fleet.start(shop, redis.url);
  print(`On one page each, while it runs (it asks for the token: ${TOKEN}):`);
  for (const { page } of fleet.instances) print(`  ${page}`);

  await openForAll(fleet, report);
  await probeOnce(fleet, report);
  await recover(fleet, report);
  await holdOpen(fleet, report);
  await troubleWithRedis(fleet, redis, report);
  const { deaths } = shop;
  report.check('all along', 'no process ends by itself', deaths.length === 0, deaths.join());
}

async function findRedis(): Promise<RedisUnderTest | undefined> {
  const url = process.env['FLEET_REDIS_URL'];
  return url === undefined || url === '' ? OwnRedis.create() : ProxiedRedis.create(url);
}

const redis = await findRedis();
if (redis === undefined) {
  print('Skipped: install redis-server, or set FLEET_REDIS_URL, to run the fleet.');
  process.exit(process.env['CI'] === 'true' ? 1 : 0);
}
const shop = await Bookshop.create();
const report = new Report();
print(`Three booksvc that share a circuit in ${redis.description}.`);
await play(
  report,
  () => experiment(shop, redis, report),
  () => Promise.all([shop.close(), redis.stop()]),
);
