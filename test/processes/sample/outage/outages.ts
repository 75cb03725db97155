import type { Booksvc, Bookshop } from '../lib/bookshop.js';
import {
  AT_ONCE_MS,
  breakerOf,
  brief,
  observe,
  OPEN_FOR_MS,
  type Route,
  ROUTES,
  SLACK_MS,
  TOTAL_TIMEOUT_MS,
  toRow,
  untilLive,
  untilOpen,
} from './observe.js';
import type { OutageReport } from './report.js';

/** Each route has a booksvc of its own, so that requests can be counted by route. */
export type Shops = Readonly<Record<Route, Booksvc>>;

interface Outage {
  readonly name: string;
  readonly begin: () => Promise<unknown> | void;
  readonly meanwhile?: () => Promise<void>;
  readonly over: string;
  readonly end: () => Promise<unknown> | void;
}

/** The experiment of the example, on all routes at once. */
export async function outages(shop: Bookshop, shops: Shops, report: OutageReport): Promise<void> {
  const { database, storagesvc } = shop;
  const proxies = ROUTES.map((route) => shops[route].proxy);
  const books = await healthy(shops, report);
  const all: readonly Outage[] = [
    {
      name: 'database killed',
      begin: () => database.kill(),
      meanwhile: () => coldCache(shop, report),
      over: 'database back',
      end: () => shop.startDatabase(),
    },
    {
      name: 'storagesvc killed',
      begin: () => Promise.all([storagesvc.kill(), ...proxies.map((proxy) => proxy.refuse())]),
      over: 'storagesvc back',
      end: async () => {
        await shop.startStoragesvc();
        await Promise.all(proxies.map((proxy) => proxy.accept()));
      },
    },
    {
      name: 'storagesvc never answers',
      begin: () => storagesvc.freeze(),
      over: 'storagesvc answers again',
      end: () => storagesvc.thaw(),
    },
  ];
  for (const outage of all) {
    report.progress(outage.name);
    await outage.begin();
    await Promise.all([hit(outage.name, shops, books, report), outage.meanwhile?.()]);
    report.progress(outage.over);
    await outage.end();
    await recover(outage.over, shops, report);
  }
}

/** @returns the books as `GET /` answers them */
async function healthy(shops: Shops, report: OutageReport): Promise<string> {
  const seen = await Promise.all(ROUTES.map((route) => observe(shops[route], route)));
  report.phase(seen.map((observation, index) => toRow('healthy', routeAt(index), observation)));
  const [all] = seen;
  const titles = ['One book', 'Second book'];
  const holds =
    all !== undefined &&
    all.answer.kind === 'live' &&
    titles.every((title) => all.answer.body.includes(title));
  report.check('healthy', '200 live', holds, all === undefined ? 'nothing' : brief(all));
  return all?.answer.body ?? '';
}

async function hit(name: string, shops: Shops, books: string, report: OutageReport): Promise<void> {
  const seen = await Promise.all(
    ROUTES.map(async (route) => {
      const first = await observe(shops[route], route);
      if (route === '/retry') {
        return { first, again: undefined };
      }
      await untilOpen(shops[route], route);
      return { first, again: await observe(shops[route], route) };
    }),
  );
  report.phase(seen.map(({ first }, index) => toRow(name, routeAt(index), first)));
  report.phase(
    seen.flatMap(({ again }, index) =>
      again === undefined ? [] : [toRow(`${name}, breaker open`, routeAt(index), again)],
    ),
  );
  const [all, , retry] = seen;
  if (all?.again === undefined || retry === undefined) {
    return;
  }
  const { first, again } = all;
  report.check(
    `${name}, breaker closed`,
    '200 stale within the total timeout, breaker opens',
    first.answer.kind === 'stale' &&
      first.answer.body === books &&
      first.answer.latencyMs <= TOTAL_TIMEOUT_MS + SLACK_MS &&
      first.breaker === 'open',
    brief(first),
  );
  report.check(
    `${name}, breaker open`,
    '200 stale at once, no call',
    again.answer.kind === 'stale' &&
      again.answer.body === books &&
      again.answer.latencyMs <= AT_ONCE_MS &&
      again.calls === 0,
    brief(again),
  );
  report.check(
    `${name}, GET /retry`,
    'an error within the total timeout',
    retry.first.answer.status >= 500 && retry.first.answer.latencyMs <= TOTAL_TIMEOUT_MS + SLACK_MS,
    brief(retry.first),
  );
}

async function coldCache(shop: Bookshop, report: OutageReport): Promise<void> {
  const cold = await shop.booksvc();
  const seen = await observe(cold);
  const { status, retryAfter, contentType, body } = seen.answer;
  report.phase([toRow('database killed, cold cache', '/', seen)]);
  report.check(
    'database killed, cold cache',
    '503, Retry-After, a JSON error',
    status === 503 && Number(retryAfter) > 0 && contentType.includes('json') && isError(body),
    `${status}, Retry-After ${retryAfter}, ${body}`,
  );
  await cold.app.stop();
}

async function recover(name: string, shops: Shops, report: OutageReport): Promise<void> {
  const seen = await Promise.all(ROUTES.map((route) => untilLive(shops[route], route)));
  report.phase(seen.map(({ last }, index) => toRow(name, routeAt(index), last)));
  const [all] = seen;
  if (all !== undefined) {
    const breaker = await breakerOf(shops['/'], '/');
    report.check(
      name,
      '200 live after at most the open time, breaker closed',
      all.tookMs <= OPEN_FOR_MS + SLACK_MS && breaker === 'closed',
      `live after ${Math.round(all.tookMs)} ms, breaker ${breaker}`,
    );
  }
}

function routeAt(index: number): Route {
  return ROUTES[index] ?? '/';
}

function isError(body: string): boolean {
  const parsed: unknown = JSON.parse(body);
  return typeof parsed === 'object' && parsed !== null && 'message' in parsed;
}
