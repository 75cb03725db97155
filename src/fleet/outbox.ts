import { swallow } from '../common/outcomes/look.js';

/** Sends to the store. @returns what to do once it has arrived; `undefined` when it has not */
export type Delivery = () => Promise<(() => void) | undefined>;

/** More decisions than operators make while a store is away. */
const LIMIT = 1_000;

/** The messages that the fleet must hear even if the store is away for a while: the last of each kind and name. */
export class Outbox {
  private readonly messages = new Map<string, Delivery>();
  private delivering = false;
  private fullTold = false;

  /** @param onFull called once when the oldest messages are dropped, until all have been delivered */
  constructor(private readonly onFull: () => void) {}

  get size(): number {
    return this.messages.size;
  }

  has(key: string): boolean {
    return this.messages.has(key);
  }

  /** Replaces an older message of that key, and tries to deliver. */
  put(key: string, deliver: Delivery): void {
    this.messages.delete(key);
    if (this.messages.size >= LIMIT) {
      this.messages.delete(this.messages.keys().next().value!);
      if (!this.fullTold) this.onFull();
      this.fullTold = true;
    }
    this.messages.set(key, deliver);
    swallow(this.flush());
  }

  /** Delivers what it can, in order. */
  async flush(): Promise<void> {
    if (this.delivering) return;
    this.delivering = true;
    try {
      await this.deliverAll();
    } finally {
      this.delivering = false;
    }
  }

  clear(): void {
    this.messages.clear();
  }

  private async deliverAll(): Promise<void> {
    for (;;) {
      const [next] = this.messages;
      if (next === undefined) break;
      const [key, deliver] = next;
      const arrived = await deliver();
      if (arrived === undefined) return;
      // Another message of that key may have come meanwhile.
      if (this.messages.get(key) === deliver) this.messages.delete(key);
      arrived();
    }
    this.fullTold = false;
  }
}
