import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { createClient } from 'redis-next';
import type { RedisClient } from 'nest-resilience/redis';
import { PREFIX } from '../limits.js';
import type { ClientKind } from '../orders.js';

/** The scripts add the value of this key to the server's time, microseconds. */
export const CLOCK_KEY = `${PREFIX}{clock}`;

const TIME = 'tonumber(time[1]) * 1000000 + tonumber(time[2])';

/** A client as an application has it, configured as docs/redis.md says. */
export interface OwnClient {
  readonly client: RedisClient;
  end(): void;
}

export function clientOf(kind: ClientKind, url: string): OwnClient {
  const scripts = new MovedScripts();
  if (kind === 'ioredis') {
    const client = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0 });
    client.on('error', () => {});
    const call = (...command: string[]): Promise<unknown> =>
      scripts.send(([name, ...args]) => client.call(name!, ...args), command);
    return { client: instead(client, 'call', call), end: () => client.disconnect() };
  }
  const client = createClient({ url, disableOfflineQueue: true });
  client.on('error', () => {});
  // It keeps trying.
  client.connect().catch(() => {});
  const send = (command: string[]): Promise<unknown> =>
    scripts.send((moved) => client.sendCommand(moved), command);
  return { client: instead(client, 'sendCommand', send), end: () => client.destroy() };
}

/** The client with another method. */
function instead<T extends object>(client: T, name: string, method: unknown): T {
  return new Proxy(client, {
    get(target, key) {
      if (key === name) return method;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/**
 * Sends the scripts of the store with one change: the server's time is moved by the value of a key. For the scripts,
 * the clock of a real server steps.
 */
class MovedScripts {
  /** By the hash that the store uses for a script. */
  private readonly moved = new Map<string, string>();

  async send(
    deliver: (command: string[]) => Promise<unknown>,
    command: string[],
  ): Promise<unknown> {
    const [name, script = '', ...rest] = command;
    if (name === 'EVALSHA') {
      const moved = this.moved.get(script);
      if (moved === undefined) throw new Error('NOSCRIPT: not seen yet');
      return deliver(['EVALSHA', sha1(moved), ...rest]);
    }
    if (name !== 'EVAL') return deliver(command);
    const moved = script.replace(
      TIME,
      `${TIME} + tonumber(redis.call('GET', '${CLOCK_KEY}') or 0)`,
    );
    if (moved === script) throw new Error('the time of the scripts is not where it was');
    this.moved.set(sha1(script), moved);
    return deliver(['EVAL', moved, ...rest]);
  }
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
