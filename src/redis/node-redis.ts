import { swallow } from '../common/outcomes/look.js';
import { quietly } from '../common/quietly.js';
import { settledWithin } from '../common/settled-within.js';
import { CONNECT_MS, type OwnDriver, backoff } from './driver.js';

type Listener = (message: string) => void;
type Args = readonly string[];

/** The part of a client of node-redis 4 and later that is used here: for one server, a cluster or Sentinels. */
export interface NodeRedis {
  readonly isReady?: boolean;
  readonly isOpen?: boolean;
  readonly options?: NodeRedisOptions;
  /** The promises of a client in `legacyMode`. */
  readonly v4?: Pick<NodeRedis, 'sendCommand'>;
  /** Only in clients of clusters. */
  readonly nodeClient?: unknown;
  /** Only in clients of Sentinels. */
  readonly getSentinelNode?: unknown;
  sendCommand(...args: unknown[]): Promise<unknown>;
  duplicate(overrides?: NodeRedisOptions): NodeRedis;
  connect(): Promise<unknown>;
  /** From version 5. */
  destroy?(): void;
  disconnect(): Promise<unknown>;
  subscribe(channel: string, listener: Listener): Promise<unknown>;
  unsubscribe(channel: string, listener: Listener): Promise<unknown>;
  on(event: string, listener: (error: unknown) => void): unknown;
}

export interface NodeRedisOptions {
  readonly url?: string;
  readonly disableOfflineQueue?: boolean;
  readonly commandsQueueMaxLength?: number;
  readonly legacyMode?: boolean;
  readonly socket?: object;
}

/** The options of a client of our own. What cannot be sent is rejected. */
export function ownOptions(url: string): NodeRedisOptions {
  return {
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 1_000,
    socket: { connectTimeout: CONNECT_MS, reconnectStrategy: backoff },
  };
}

/** node-redis 4 and later. */
export class NodeRedisDriver implements OwnDriver {
  readonly cluster: boolean;
  readonly keyPrefix = '';
  private readonly sentinel: boolean;
  private readonly own = new Set<NodeRedis>();
  private lastError: Error | undefined = undefined;

  /** @param owned whether the driver closes it */
  constructor(
    private readonly client: NodeRedis,
    owned: boolean,
  ) {
    this.cluster = typeof client.nodeClient === 'function';
    this.sentinel = typeof client.getSentinelNode === 'function';
    if (owned) this.own.add(client);
  }

  async connect(heard: () => void): Promise<void> {
    const { client } = this;
    client.on('reconnecting', heard);
    client.on('ready', () => {
      this.lastError = undefined;
      heard();
    });
    const failed = new Promise<void>((resolve) => {
      client.on('error', (error) => {
        this.lastError = error as Error;
        heard();
        resolve();
      });
    });
    const connected = client.connect();
    swallow(connected);
    await Promise.race([connected, failed]);
  }

  get ready(): boolean {
    return this.client.isReady === true;
  }

  get problem(): Error | undefined {
    return this.ready ? undefined : this.lastError;
  }

  send(key: string, command: Args): Promise<unknown> {
    const { client } = this;
    if (this.cluster) return client.sendCommand(key, false, command);
    if (this.sentinel) return client.sendCommand(false, command);
    return (client.options?.legacyMode === true ? client.v4! : client).sendCommand(command);
  }

  /** A cluster and Sentinels have connections for subscriptions; a client of one server is duplicated. */
  async listen(
    channel: string,
    heard: Listener,
    reconnected: () => void,
  ): Promise<() => Promise<void>> {
    const { client } = this;
    if (this.cluster || this.sentinel) {
      await client.subscribe(channel, heard);
      return async () => void (await client.unsubscribe(channel, heard));
    }
    const subscriber = client.duplicate({
      disableOfflineQueue: false,
      legacyMode: false,
      socket: { ...client.options?.socket, reconnectStrategy: backoff },
    });
    this.own.add(subscriber);
    let listening = false;
    subscriber.on('error', () => {});
    subscriber.on('ready', () => {
      if (listening) reconnected();
    });
    try {
      await subscriber.connect();
      await subscriber.subscribe(channel, heard);
    } catch (error) {
      await this.end(subscriber); // the next try makes another one
      throw error;
    }
    listening = true;
    return () => this.end(subscriber);
  }

  async close(): Promise<void> {
    await Promise.all([...this.own].map((client) => this.end(client)));
  }

  /** At once: `quit()` would wait for a server that is frozen. */
  private async end(client: NodeRedis): Promise<void> {
    this.own.delete(client);
    try {
      if (client.destroy !== undefined) {
        // An attempt to connect that is under way is completed all the same.
        client.on('ready', () => quietly(() => client.destroy!()));
        client.destroy();
      } else if (client.isOpen === client.isReady) await client.disconnect();
      else swallow(disconnectWhenReady(client));
    } catch {
      // It has never been connected, or has been closed already.
    }
  }
}

/** node-redis 4 completes an attempt to connect that is under way when it disconnects, and can never be closed then. */
async function disconnectWhenReady(client: NodeRedis): Promise<void> {
  const ready = new Promise<void>((resolve) => client.on('ready', () => resolve()));
  await settledWithin(ready, CONNECT_MS);
  await client.disconnect();
}
