import { setTimeout as sleep } from 'node:timers/promises';
import type { Booksvc } from '../lib/bookshop.js';

/** Of booksvc: stale answers, retries alone, a command with a fallback, and a route that does not need storagesvc. */
const ROUTES = ['/', '/retry', '/command', '/shipping'] as const;

/** For each route: enough for breakers that want 20 calls in ten seconds. */
const COUNT = 3;
const EVERY_MS = 500;

/** They ask again and again, but never while an answer is awaited. @returns a function that ends that, and throws if one got no answer */
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
