// A call through a closed breaker: local, and shared through each kind of store.
import { redisStore } from '../../dist/esm/redis/index.js';
import { MemoryStore } from '../../dist/esm/testing/index.js';
import { BookClient } from '../contestants/client.mjs';
import { measure, median } from '../measure.mjs';
import { startApplication } from './application.mjs';

const LOCAL = 'local';

/** @returns medians over the rounds; ratios are computed within each round */
export async function measureClosedCalls(rounds, redis) {
  const stores = {
    [LOCAL]: undefined,
    // The same once more: how much measurements of equal things differ.
    'local, another one': undefined,
    'shared, memory': new MemoryStore(),
    ...(redis !== undefined && { 'shared, Redis': redisStore({ url: redis.url }) }),
  };
  const bare = new BookClient();
  const calls = { bare: { call: () => bare.getBooks(), rejects: false } };
  const applications = [];
  for (const [name, store] of Object.entries(stores)) {
    const application = await startApplication(store);
    applications.push(application);
    calls[name] = { call: () => application.client.getBooks(), rejects: false };
  }
  try {
    const times = await measure(calls, rounds);
    const added = (name) => times[name].map((ns, round) => ns - times.bare[round]);
    const local = added(LOCAL);
    return Object.keys(stores).map((name) => ({
      name,
      ns: median(times[name]),
      toBare: median(times[name].map((ns, round) => ns / times.bare[round])),
      toLocal: median(added(name).map((ns, round) => ns / local[round])),
    }));
  } finally {
    for (const { stop } of applications) await stop();
  }
}
