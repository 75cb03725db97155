import { Bookshop } from './lib/bookshop.js';
import { closeClient } from './lib/client.js';
import { onInterrupt } from './lib/interrupt.js';
import { faults } from './outage/faults.js';
import { load } from './outage/load.js';
import { ROUTES } from './outage/observe.js';
import { outages } from './outage/outages.js';
import { Report } from './outage/report.js';

const json = process.argv.includes('--json');
const print = (text: string): void =>
  void (json ? process.stderr : process.stdout).write(`${text}\n`);

async function experiment(shop: Bookshop, report: Report): Promise<void> {
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

async function main(): Promise<void> {
  const start = performance.now();
  const report = new Report(print);
  const shop = await Bookshop.create();
  const end = async (code: number): Promise<void> => {
    closeClient();
    await shop.close();
    process.exit(code);
  };
  onInterrupt(() => void end(130));
  try {
    await experiment(shop, report);
  } catch (error) {
    report.check('the experiment', 'runs to its end', false, String(error));
  }
  const seconds = Math.round((performance.now() - start) / 1_000);
  const { holds, rows, checks } = report;
  if (json) {
    process.stdout.write(`${JSON.stringify({ holds, seconds, rows, checks }, undefined, 2)}\n`);
  } else {
    report.printTables();
    print(`\n${holds ? 'All expectations hold' : 'NOT all expectations hold'} (${seconds} s).`);
  }
  await end(holds ? 0 : 1);
}

await main();
