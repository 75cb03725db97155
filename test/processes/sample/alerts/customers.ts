import { setTimeout as sleep } from 'node:timers/promises';
import type { Booksvc } from '../lib/bookshop.js';

/** Routes of booksvc: stale answers, retries alone, a command with a fallback, and one that does not need storagesvc. */
const ROUTES = ['/', '/retry', '/command', '/shipping'] as const;

/** Customers per route: enough for breakers that need 20 calls in ten seconds. */
const COUNT = 3;
const EVERY_MS = 500;

/** Customers who ask again and again, each after its last answer. @returns ends that; throws if one got no answer */
export function customersOf(booksvc: Booksvc): () => Promise<void> {
  let over = false;
  const customer = async (route: string): Promise<void> => {
    while (!over) {
      await booksvc.ask(route);
      await sleep(EVERY_MS);
    }
  };
  const all = ROUTES.flatMap((route) => Array.from({ length: COUNT }, () => customer(route)));
  const asking = Promise.all(all);
  asking.catch(() => {}); // heard at the end
  return async () => {
    over = true;
    await asking;
  };
}
