import { swallow } from '../common/outcomes/look.js';
import { CONNECT_MS, type OwnDriver, backoff } from './driver.js';

/** The part of an ioredis 5 client that is used here: for one server, Sentinels or a cluster. */
export interface IoRedis {
  readonly isCluster?: boolean;
  readonly status?: string;
  readonly options?: { readonly keyPrefix?: string };
  call(command: string, ...args: string[]): Promise<unknown>;
  duplicate(overrides?: object): IoRedis;
  disconnect(): void;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: string, listener: (...args: string[]) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: string, listener: (...args: string[]) => void): unknown;
}

/** The options of a client of our own. What cannot be sent is rejected. */
export const OWN_OPTIONS = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_MS,
  retryStrategy: backoff,
};

/** The options of a connection that waits for the server, to listen. */
const SUBSCRIBER_OPTIONS = {
  enableOfflineQueue: true,
  autoResubscribe: true,
  lazyConnect: false,
  maxRetriesPerRequest: null,
  commandTimeout: undefined,
  retryStrategy: backoff,
};

/** ioredis 5. */
export class IoRedisDriver implements OwnDriver {
  readonly cluster: boolean;
  readonly keyPrefix: string;
  private readonly own = new Set<IoRedis>();
  private lastError: Error | undefined = undefined;

  /** @param owned whether the driver closes it */
  constructor(
    private readonly client: IoRedis,
    owned: boolean,
  ) {
    this.cluster = client.isCluster === true;
    this.keyPrefix = client.options?.keyPrefix ?? '';
    if (owned) this.own.add(client);
  }

  connect(heard: () => void): Promise<void> {
    const { client } = this;
    client.on('reconnecting', heard);
    return new Promise((resolve) => {
      client.on('ready', () => {
        this.lastError = undefined;
        heard();
        resolve();
      });
      client.on('error', (error: Error) => {
        this.lastError = error;
        heard();
        resolve();
      });
    });
  }

  get ready(): boolean {
    return this.client.status === 'ready';
  }

  get problem(): Error | undefined {
    return this.ready ? undefined : this.lastError;
  }

  /** ioredis finds the keys of a command, and so the node, by itself. */
  send(_key: string, [name, ...args]: readonly string[]): Promise<unknown> {
    return this.client.call(name!, ...args);
  }

  /** A cluster has a connection for subscriptions; a client of one server or of Sentinels is duplicated. */
  async listen(
    channel: string,
    heard: (message: string) => void,
    reconnected: () => void,
  ): Promise<() => Promise<void>> {
    const subscriber = this.cluster ? this.client : this.client.duplicate(SUBSCRIBER_OPTIONS);
    const onMessage = (from?: string, message?: string): void => {
      if (from === channel && message !== undefined) heard(message);
    };
    subscriber.on('message', onMessage);
    if (this.cluster) {
      const leave = async (): Promise<void> => {
        subscriber.off('message', onMessage);
        if (countListeners(subscriber, channel, -1) === 0) await subscriber.unsubscribe(channel);
      };
      countListeners(subscriber, channel, 1);
      try {
        await subscriber.subscribe(channel);
      } catch (error) {
        swallow(leave());
        throw error;
      }
      return leave;
    }
    this.own.add(subscriber);
    let listening = false;
    subscriber.on('error', () => {});
    subscriber.on('ready', () => {
      // Subscribing twice counts once: this one reports when it listens again.
      if (listening) subscriber.subscribe(channel).then(reconnected, () => {});
    });
    try {
      await subscriber.subscribe(channel);
    } catch (error) {
      this.end(subscriber); // the next try makes another one
      throw error;
    }
    listening = true;
    return async () => this.end(subscriber);
  }

  async close(): Promise<void> {
    for (const client of this.own) this.end(client);
  }

  /** At once: `quit()` would wait for a server that is frozen. */
  private end(client: IoRedis): void {
    this.own.delete(client);
    client.disconnect();
  }
}

/** Stores that listen over the same client, by channel: it has one subscription for all of them. */
const listeners = new WeakMap<IoRedis, Map<string, number>>();

/** @returns how many listen after the change */
function countListeners(client: IoRedis, channel: string, change: 1 | -1): number {
  const counts = listeners.get(client) ?? new Map<string, number>();
  listeners.set(client, counts);
  const count = (counts.get(channel) ?? 0) + change;
  counts.set(channel, count);
  return count;
}
