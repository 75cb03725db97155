import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { customersOf } from './alerts/customers.js';
import { OwnPrometheus } from './alerts/own-prometheus.js';
import { AlertReport } from './alerts/report.js';
import { shorterRules } from './alerts/shorter-rules.js';
import { Watch } from './alerts/watch.js';
import { type Booksvc, Bookshop } from './lib/bookshop.js';
import { play } from './lib/experiment.js';
import { print } from './lib/output.js';

/** The project's own rules are about minutes. */
const FASTER = 20;

const RULES = new URL(
  'monitoring/alerts.yaml',
  import.meta.resolve('nest-resilience/package.json'),
);

/** The alerts of an outage of the database, when customers ask for all routes. */
const EXPECTED = [
  'ResilienceCircuitOpen{name="my_command"}',
  'ResilienceCircuitOpen{name="storagesvc"}',
  'ResilienceFallbackAnswers{name="my_command"}',
  'ResilienceRetriesAmplify{name="BooksService.findAllLive"}',
  'ResilienceStaleAnswers{name="BooksService.findAll"}',
];

const HEALTHY_MS = 10_000;
/** It lasts until all alerts fire: half a minute of the shorter rules, and some for rates to rise. */
const OUTAGE_AT_MOST_MS = 90_000;
const RECOVERY_AT_MOST_MS = 90_000;
/** An alert that should not fire may come late, and firing times are known only to the second. */
const AFTERWARDS_MS = 5_000;

/** The log lines are not needed, and writing them takes time. */
const QUIET = { LOG_LEVEL: 'error' };

async function experiment(
  shop: Bookshop,
  prometheus: OwnPrometheus,
  report: AlertReport,
): Promise<void> {
  report.progress('starting the database, storagesvc, shippingsvc, booksvc and prometheus');
  await Promise.all([shop.startDatabase(), shop.startStoragesvc(), shop.startShippingsvc()]);
  const booksvc = await shop.booksvcBehindGateway(QUIET);
  await prometheus.start(
    'booksvc',
    new URL(booksvc.url).host,
    shorterRules(readFileSync(RULES, 'utf8'), FASTER),
  );
  print(`While it runs: ${prometheus.url}/alerts and ${booksvc.url}/metrics`);
  await outage(shop, booksvc, prometheus, report);
  const { deaths } = shop;
  report.check('all along', 'no process ends by itself', deaths.length === 0, deaths.join());
}

async function outage(
  shop: Bookshop,
  booksvc: Booksvc,
  prometheus: OwnPrometheus,
  report: AlertReport,
): Promise<void> {
  const start = Date.now();
  const tell = (text: string): void => {
    report.progress(`${String(Math.round((Date.now() - start) / 1_000)).padStart(3)} s  ${text}`);
  };
  const watch = new Watch(prometheus, tell);
  const customersLeave = customersOf(booksvc);
  watch.begin();
  tell('customers come, all is well');
  await sleep(HEALTHY_MS);
  tell('the database is killed');
  const from = Date.now();
  await shop.database.kill();
  await watch.allFire(EXPECTED, OUTAGE_AT_MOST_MS);
  await sleep(AFTERWARDS_MS);
  tell('the database is back');
  const to = Date.now();
  await shop.startDatabase();
  await watch.noneIsActive(RECOVERY_AT_MOST_MS);
  await sleep(AFTERWARDS_MS);
  await Promise.all([watch.end(), customersLeave()]);

  const firing = (await prometheus.alerts()).filter(({ state }) => state === 'firing');
  report.compare(
    EXPECTED,
    await prometheus.firings(start),
    firing.map(({ alert }) => alert),
    { from, to },
  );
  const broken = await prometheus.brokenRules();
  report.check('all along', 'prometheus evaluates all rules', broken.length === 0, broken.join());
}

const prometheus = await OwnPrometheus.create();
if (prometheus === undefined) {
  print('Skipped: install prometheus to see the alerts of an outage.');
  process.exit(process.env['CI'] === 'true' ? 1 : 0);
}
const shop = await Bookshop.create();
const report = new AlertReport();
print(
  `The alerts of an outage, with a prometheus of its own; all times of monitoring/alerts.yaml are ${FASTER} times shorter.`,
);
await play(
  report,
  () => experiment(shop, prometheus, report),
  () => Promise.all([shop.close(), prometheus.stop()]),
);
