import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../../../sample/launcher/src/net.js';
import type { Answer } from '../lib/client.js';
import type { Booksvc, Bookshop } from '../lib/bookshop.js';

/** The breaker that all instances share. */
export const BREAKER = 'storagesvc';

/** Short, so that several probes can be seen. All other settings are booksvc's own. */
export const OPEN_FOR_MS = 1_000;

const INSTANCES = 3;
export const TOKEN = 'the-token-of-the-experiment';

/** How often each instance is asked when customers come. */
const CUSTOMERS_EVERY_MS = 20;

/** One booksvc, with its own way to storagesvc. */
export interface Instance {
  readonly booksvc: Booksvc;
  readonly url: string;
  readonly page: string;
}

/** The answers to customers for a while. */
export interface Served {
  readonly answers: number;
  /** Other than 200. */
  readonly failed: number;
  readonly slowestMs: number;
  /** The times at which a request reached storagesvc, in all instances, milliseconds. */
  readonly calls: readonly number[];
}

/** Several booksvc that share one Redis. */
export class Fleet {
  private constructor(readonly instances: readonly Instance[]) {}

  static async start(shop: Bookshop, redisUrl: string): Promise<Fleet> {
    const instances: Instance[] = [];
    for (let count = 0; count < INSTANCES; count++) {
      const booksvc = await shop.booksvc({
        FLEET_REDIS_URL: redisUrl,
        ADMIN_TOKEN: TOKEN,
        BREAKER_OPEN_FOR: `${OPEN_FOR_MS}ms`,
      });
      const { url } = booksvc;
      instances.push({ booksvc, url, page: `${url}/resilience/ui` });
    }
    const fleet = new Fleet(instances);
    for (const { booksvc } of instances) await booksvc.ask('/'); // each keeps the books in its own memory
    return fleet;
  }

  states(): Promise<string[]> {
    return Promise.all(this.instances.map(({ booksvc }) => booksvc.breaker(BREAKER)));
  }

  /** @returns how long it took, milliseconds */
  async untilAll(state: string, timeoutMs = 20_000): Promise<number> {
    const start = performance.now();
    const all = async (): Promise<boolean> => (await this.states()).every((one) => one === state);
    await until(`the circuit is ${state} everywhere`, all, { timeoutMs, everyMs: 10 });
    return performance.now() - start;
  }

  /** storagesvc fails, or is well again, as every instance sees it. */
  storagesvcFails(fails: boolean): void {
    for (const { booksvc } of this.instances)
      booksvc.proxy.fault = fails ? { status: 500 } : 'none';
  }

  /** Customers come to all instances while something happens. */
  async serve(during: () => Promise<unknown>): Promise<Served> {
    const seen: Answer[] = [];
    const calls: number[] = [];
    let over = false;
    const customers = this.instances.map(async ({ booksvc }) => {
      while (!over) {
        seen.push(await booksvc.ask('/'));
        await sleep(CUSTOMERS_EVERY_MS);
      }
    });
    const watching = this.instances.map(async ({ booksvc: { proxy } }) => {
      let known = proxy.requests;
      while (!over) {
        for (; known < proxy.requests; known++) calls.push(performance.now());
        await sleep(5);
      }
    });
    try {
      await during();
    } finally {
      over = true;
      await Promise.all([...customers, ...watching]);
    }
    return {
      answers: seen.length,
      failed: seen.filter(({ status }) => status !== 200).length,
      slowestMs: Math.max(...seen.map(({ latencyMs }) => latencyMs)),
      calls: calls.sort((one, other) => one - other),
    };
  }

  /** An operator changes the breaker by the management of one instance. */
  async change(instance: Instance, action: string, body: object): Promise<number> {
    const response = await fetch(`${instance.url}/resilience/breakers/${BREAKER}/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(body),
    });
    await response.arrayBuffer();
    return response.status;
  }
}
