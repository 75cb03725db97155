/** The commands that the store needs of a Redis client. */
export interface RedisDriver {
  /** Whether the keys of one command must be in one slot. */
  readonly cluster: boolean;

  /** The client writes this before all keys, but not before channels. */
  readonly keyPrefix: string;

  /** Sends one command. In a cluster `key` picks the node. */
  send(key: string, command: readonly string[]): Promise<unknown>;

  /**
   * Listens to a channel over a connection that does nothing else.
   *
   * @param reconnected called when the connection was lost and listens again
   * @returns ends it
   */
  listen(
    channel: string,
    heard: (message: string) => void,
    reconnected: () => void,
  ): Promise<() => Promise<void>>;

  /** Ends the connections that the driver has made itself, at once. */
  close(): Promise<void>;
}

/** A driver that has made its client itself. */
export interface OwnDriver extends RedisDriver {
  /** Whether the client is connected. */
  readonly ready: boolean;

  /** Why it is not. The errors of its commands do not say so. */
  readonly problem: Error | undefined;

  /**
   * Waits until the client is connected, or cannot be; then it goes on trying.
   *
   * @param heard called for each sign of life: it is connected, has an error, or tries again
   */
  connect(heard: () => void): Promise<void>;
}

/** How long a connection may take, milliseconds. */
export const CONNECT_MS = 1_000;

/** The longest wait between two attempts to connect, milliseconds. */
const LONGEST_BACKOFF_MS = 2_000;

/** The wait before an attempt to connect: instances that have lost one server do not come back at the same time. */
export function backoff(attempt: number): number {
  const longest = Math.min(LONGEST_BACKOFF_MS, 50 * 2 ** Math.min(attempt, 10));
  return Math.ceil(longest * (0.5 + Math.random() / 2));
}
