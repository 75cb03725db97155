// How long a trip here takes to open the circuit in another process.
import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { redisStore } from '../../dist/esm/redis/index.js';
import { openCircuit } from '../contestants/client.mjs';
import { median } from '../measure.mjs';
import { startApplication } from './application.mjs';
import { now } from './monotonic.mjs';

const TRIPS = 50;

/** The first ones are slower, since the engine has not compiled the code yet. */
const WARM_UP = 10;

/** For all trips together. Milliseconds. */
const TIME_LIMIT = 60_000;

/** @returns milliseconds from the change of state here to the change in the other process */
export async function measureTrips(redis) {
  const other = fork(fileURLToPath(new URL('instance.mjs', import.meta.url)), [redis.url]);
  const changes = on(other, 'message', { signal: AbortSignal.timeout(TIME_LIMIT) });
  const { client, breaker, stop } = await startApplication(redisStore({ url: redis.url }));
  let openedAt;
  breaker.onStateChange(({ to }) => {
    if (to === 'open') openedAt = now();
  });
  /** The time at which the other one has changed to that state. */
  const heard = async (expected) => {
    const [{ state, at }] = (await changes.next()).value;
    if (state !== expected) throw new Error(`the other process is ${state}, not ${expected}`);
    return at;
  };
  try {
    await redis.listenedToBy(2);
    const times = [];
    for (let trip = -WARM_UP; trip < TRIPS; trip++) {
      await openCircuit(client, () => client.getBooks());
      const ms = (await heard('open')) - openedAt;
      if (trip >= 0) times.push(ms);
      breaker.reset();
      await heard('closed');
    }
    return { trips: TRIPS, medianMs: median(times), longestMs: Math.max(...times) };
  } finally {
    await stop();
    const ended = once(other, 'exit');
    if (other.connected) other.disconnect();
    if (other.exitCode === null && other.signalCode === null) await ended;
  }
}
