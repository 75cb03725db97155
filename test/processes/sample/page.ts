import { Bookshop } from './lib/bookshop.js';
import { play } from './lib/experiment.js';
import { Report } from './lib/report.js';
import { watched } from './page/watched.js';

const shop = await Bookshop.create();
const report = new Report();
await play(
  report,
  () => watched(shop, report),
  () => shop.close(),
);
