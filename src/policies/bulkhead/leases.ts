import { outsideOfCalls } from '../../common/async-context.js';
import type { Clock, Timer } from '../../common/clock.js';
import type { GuardedStore } from '../../fleet/guarded-store.js';
import type { PlacesReply } from '../../fleet/store.js';

/** How long a place is held without renewal, milliseconds; places of an instance that has died become free then. */
const LEASE = 15_000;

/** Time between renewals, milliseconds: two of them may fail. */
const RENEW_EVERY = LEASE / 3;

/** The places of a shared bulkhead that this instance holds. They are renewed in the background. */
export class Leases {
  private readonly held = new Set<string>();
  private timer: Timer | undefined = undefined;
  private tokens = 0;
  private closed = false;
  /** The limit that was last asked for. */
  private limit = 0;

  constructor(
    private readonly name: string,
    private readonly clock: Clock,
    private readonly store: GuardedStore,
  ) {}

  get size(): number {
    return this.held.size;
  }

  /** A token that is unique in the fleet. */
  token(): string {
    return `${this.store.instanceId}:${(this.tokens += 1)}`;
  }

  /** Asks for a place. One that is granted too late is given back, unless a call holds it. */
  acquire(token: string, limit: number): Promise<PlacesReply | undefined> {
    this.limit = limit;
    return this.store.ask(
      (store) => store.places(this.name, this.acquisition(token)),
      (reply) => void this.releaseUnheld(token, reply),
    );
  }

  /** Begins to renew a place that has been granted. */
  add(token: string): void {
    this.held.add(token);
    if (this.timer === undefined && !this.closed) this.arm();
  }

  /** Gives a place back. If the store is away, its lease ends by itself. */
  async release(token: string): Promise<void> {
    this.held.delete(token);
    if (this.held.size === 0) this.disarm();
    await this.store.send((store) => store.places(this.name, { type: 'release', token }));
  }

  close(): void {
    this.closed = true;
    this.disarm();
  }

  private acquisition(token: string) {
    const { instanceId } = this.store;
    return { type: 'acquire', token, instanceId, limit: this.limit, leaseMs: LEASE } as const;
  }

  private async renew(): Promise<void> {
    const tokens = [...this.held];
    const reply = await this.store.send((store) =>
      store.places(this.name, { type: 'renew', tokens, leaseMs: LEASE }),
    );
    // The store has lost them, or the renewal came too late. Their work goes on, so they are taken again if possible.
    for (const token of reply?.lost ?? []) if (this.held.has(token)) void this.retake(token);
  }

  private async retake(token: string): Promise<void> {
    await this.releaseUnheld(token, await this.acquire(token, this.limit));
  }

  private async releaseUnheld(token: string, reply: PlacesReply | undefined): Promise<void> {
    if (reply?.granted && !this.held.has(token)) await this.release(token);
  }

  private arm(): void {
    this.timer = outsideOfCalls(() =>
      this.clock.setTimer(() => {
        this.arm();
        void this.renew();
      }, RENEW_EVERY),
    );
    this.timer.unref();
  }

  private disarm(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}
