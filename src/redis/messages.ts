import type { StoreMessage } from '../fleet/store.js';
import { quietly } from '../common/quietly.js';
import { settledWithin } from '../common/settled-within.js';
import { CONNECT_MS, type RedisDriver, backoff } from './driver.js';
import { readMessage } from './replies.js';

/** The one subscription of a store, for all listeners. It exists while there are listeners and a server. */
export class Messages {
  private readonly listeners = new Set<{ hear: (message: StoreMessage) => void }>();
  private subscription: Subscription | undefined;

  constructor(
    private readonly driver: RedisDriver,
    private readonly channel: string,
  ) {}

  /** Waits until the server listens, but not for a server that is away. @throws when the server refuses it */
  async subscribe(listener: (message: StoreMessage) => void): Promise<() => Promise<void>> {
    const entry = { hear: listener };
    this.listeners.add(entry);
    this.subscription ??= new Subscription(this.driver, this.channel, (message) =>
      this.tell(message),
    );
    const leave = async (): Promise<void> => {
      this.listeners.delete(entry);
      if (this.listeners.size === 0) await this.close();
    };
    try {
      await this.subscription.begin();
    } catch (error) {
      await leave();
      throw error;
    }
    return leave;
  }

  async close(): Promise<void> {
    this.listeners.clear();
    const { subscription } = this;
    this.subscription = undefined;
    await subscription?.end();
  }

  private tell(message: StoreMessage): void {
    for (const { hear } of this.listeners) quietly(() => hear(message));
  }
}

/** Keeps trying to listen, until it is ended. */
class Subscription {
  private readonly firstAttempt: Promise<void>;
  private refusal: Error | undefined;
  private leave: (() => Promise<void>) | undefined;
  /** A caller has stopped waiting, and must be told when it listens. */
  private overdue = false;
  private retry: NodeJS.Timeout | undefined;
  private ended = false;
  private attempts = 0;

  constructor(
    private readonly driver: RedisDriver,
    private readonly channel: string,
    private readonly tell: (message: StoreMessage) => void,
  ) {
    this.firstAttempt = this.listen();
  }

  /** Waits until the server listens, but not for a server that is away. @throws when the server has refused it */
  async begin(): Promise<void> {
    await settledWithin(this.firstAttempt, CONNECT_MS);
    if (this.refusal !== undefined) throw this.refusal;
    this.overdue ||= this.leave === undefined;
  }

  async end(): Promise<void> {
    this.ended = true;
    clearTimeout(this.retry);
    const { leave } = this;
    this.leave = undefined;
    // A server that is frozen does not answer.
    if (leave !== undefined) await settledWithin(leave(), CONNECT_MS / 2);
  }

  private async listen(): Promise<void> {
    try {
      const leave = await this.driver.listen(
        this.channel,
        (text) => this.hear(text),
        () => this.reconnected(),
      );
      if (this.ended) return await leave();
      this.leave = leave;
      if (this.overdue) this.reconnected();
      this.overdue = false;
    } catch (error) {
      if (this.ended) return;
      // Unless a listener relies on it already.
      if (isRefusal(error) && !this.overdue) {
        this.refusal = error;
        return;
      }
      this.retry = setTimeout(() => void this.listen(), backoff(++this.attempts));
      this.retry.unref();
    }
  }

  private hear(text: string): void {
    const message = this.ended ? undefined : readMessage(text);
    if (message !== undefined) this.tell(message);
  }

  private reconnected(): void {
    if (!this.ended) this.tell({ type: 'reconnected' });
  }
}

/** Whether the server does not permit it, as opposed to one that cannot be reached. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && /^(?:NOPERM|ERR unknown)/.test(error.message);
}
