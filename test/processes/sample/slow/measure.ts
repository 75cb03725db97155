import type { Booksvc } from '../lib/bookshop.js';
import type { Peaks } from '../lib/probe.js';
import type { Report } from '../lib/report.js';
import { ask, type Customers, type Seen } from './customers.js';

/** Customers who ask for books, which come from storagesvc, and for shipping rates, which do not. */
export const BOOKS: Customers = { path: '/', count: 300, everyMs: 1_000 };
export const SHIPPING: Customers = { path: '/shipping', count: 20, everyMs: 250 };

/** The time of an answer when storagesvc is slow. */
export const SLOW_MS = 3_000;

/** The first requests compile the code, open the connections and fill the cache. */
const WARM_UP_FOR_MS = 3_000;
const HEALTHY_FOR_MS = 4_000;
const SLOW_FOR_MS = 5_000;

export interface Phase {
  readonly books: Seen;
  readonly shipping: Seen;
  /** Requests that reached storagesvc. */
  readonly calls: number;
  readonly peaks: Peaks;
  /** Bytes in use afterwards. */
  readonly used: number;
}

export interface Phases {
  readonly healthy: Phase;
  readonly slow: Phase;
}

/**
 * The same customers while all is well and while storagesvc answers rightly, but late. A proxy delays
 * it, because a query that sleeps would do something else: storagesvc gives queries up, and the embedded
 * database runs one at a time.
 */
export async function measure(name: string, booksvc: Booksvc, report: Report): Promise<Phases> {
  report.progress(`${name}: healthy`);
  await phase(booksvc, WARM_UP_FOR_MS);
  const healthy = await phase(booksvc, HEALTHY_FOR_MS);
  report.progress(`${name}: storagesvc takes ${SLOW_MS / 1_000} s for an answer`);
  booksvc.proxy.fault = { delayMs: SLOW_MS };
  const slow = await phase(booksvc, SLOW_FOR_MS);
  await booksvc.app.kill();
  return { healthy, slow };
}

async function phase(booksvc: Booksvc, forMs: number): Promise<Phase> {
  const { app, proxy } = booksvc;
  const { requests } = proxy;
  await app.query('peaks'); // earlier peaks do not count
  const [books, shipping] = await Promise.all([
    ask(booksvc, BOOKS, forMs),
    ask(booksvc, SHIPPING, forMs),
  ]);
  const peaks = await app.query('peaks');
  const { heapUsed, external } = await app.query('memory');
  return { books, shipping, calls: proxy.requests - requests, peaks, used: heapUsed + external };
}
