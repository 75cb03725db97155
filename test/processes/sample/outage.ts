import { Bookshop } from './lib/bookshop.js';
import { play } from './lib/experiment.js';
import { faults } from './outage/faults.js';
import { load } from './outage/load.js';
import { ROUTES } from './outage/observe.js';
import { outages } from './outage/outages.js';
import { OutageReport } from './outage/report.js';

async function experiment(shop: Bookshop, report: OutageReport): Promise<void> {
  report.progress('starting the database, storagesvc and booksvc (one for each route)');
  await Promise.all([shop.startDatabase(), shop.startStoragesvc()]);
  const [all, circuitBreaker, retry, book] = await Promise.all([
    shop.booksvc(),
    shop.booksvc(),
    shop.booksvc(),
    shop.booksvc(),
  ]);
  const shops = { '/': all, '/circuit-breaker': circuitBreaker, '/retry': retry, '/books/1': book };
  await outages(shop, shops, report);
  await faults(
    ROUTES.map((route) => shops[route]),
    report,
  );
  await load(shop, all, report);
  report.check(
    'all along',
    'no process ends by itself',
    shop.deaths.length === 0,
    shop.deaths.join(),
  );
}

const shop = await Bookshop.create();
const report = new OutageReport();
await play(
  report,
  () => experiment(shop, report),
  () => shop.close(),
);
