import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { KeyvAdapter } from 'cache-manager';
import { redisInsStore } from 'cache-manager-redis-yet';
import { Keyv } from 'keyv';
import { createClient } from 'redis';

const CONNECT_TIMEOUT_MS = 500;
const MAX_RECONNECT_DELAY_MS = 2_000;

/**
 * A cache in Redis through cache-manager-redis-yet, set up so that Redis may be away at the start, or go
 * away at any time. (For a Redis that hangs, `staleIfError` has a time limit.)
 */
export async function redisKeyv(url: string): Promise<Keyv> {
  const logger = new Logger('Redis');
  const client = createClient({
    url,
    // Without it, commands wait for as long as Redis is away.
    disableOfflineQueue: true,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (retries) =>
        Math.min(50 * 2 ** Math.min(retries, 6), MAX_RECONNECT_DELAY_MS),
    },
  });
  // Without a listener, the first lost connection ends the process.
  client.on('error', (error: Error) => logger.warn(error.message || error.name));
  client.on('ready', () => logger.log('connected'));
  const connected = client.connect().catch(() => undefined);
  await Promise.race([connected, sleep(CONNECT_TIMEOUT_MS, undefined, { ref: false })]);

  const store = Object.assign(redisInsStore(client as Parameters<typeof redisInsStore>[0]), {
    // KeyvAdapter calls it when the app closes; redis-yet itself leaves the socket open.
    disconnect: async () => {
      if (client.isOpen) {
        await client.disconnect();
      }
    },
  });
  const keyv = new Keyv({ store: new KeyvAdapter(store) });
  keyv.on('error', (error: Error) => logger.warn(error.message));
  return keyv;
}
