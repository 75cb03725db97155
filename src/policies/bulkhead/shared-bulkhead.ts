import { outsideOfCalls } from '../../common/async-context.js';
import type { Timer } from '../../common/clock.js';
import { LinkedList } from '../../common/linked-list.js';
import type { GuardedStore } from '../../fleet/guarded-store.js';
import type { PlacesReply } from '../../fleet/store.js';
import { Bulkhead, type BulkheadEnvironment, type BulkheadLimits, type Place } from './bulkhead.js';
import { BulkheadAnnouncer } from './bulkhead-announcer.js';
import type { BulkheadFullError, BulkheadFullReason } from './bulkhead-full-error.js';
import { HoldTimes } from './hold-times.js';
import { Leases } from './leases.js';
import { SharedPlace } from './shared-place.js';
import type { BulkheadSnapshot } from './snapshot.js';

/**
 * The longest time between requests for waiting calls, milliseconds: the store announces places, but messages may be
 * lost.
 */
const ASK_AGAIN = 250;

/**
 * Places for all instances of the application, kept by the store. A place is a lease that is renewed in the background,
 * so that the places of an instance that has died become free. While the store is away, this instance has its share of
 * the places.
 *
 * Within an instance, places are given first come, first served; among instances, to the one that asks first.
 */
export class SharedBulkhead {
  private readonly announcer: BulkheadAnnouncer;
  private readonly holdTimes = new HoldTimes();
  private readonly leases: Leases;
  /** This instance's share, for as long as the store is away. */
  private readonly share: Bulkhead;
  /** The waiting calls, longest wait first. */
  private readonly waiters = new LinkedList<SharedPlace>();
  private waiting = 0;
  /** Calls that are asking for a place and have not waited. */
  private asking = 0;
  /** Whether a place is being requested for waiting calls. */
  private serving = false;
  /** Whether a place has become free meanwhile. */
  private freed = false;
  private timer: Timer | undefined = undefined;
  private closed = false;
  private readonly stopListening: () => void;

  /** @internal */
  constructor(
    /** The name in the registry and in the store. */
    readonly name: string,
    private limits: BulkheadLimits,
    private readonly environment: BulkheadEnvironment,
    private readonly store: GuardedStore,
  ) {
    this.announcer = new BulkheadAnnouncer(name, environment.events);
    this.leases = new Leases(name, environment.clock, store);
    this.share = new Bulkhead(name, limits, environment);
    this.stopListening = store.onPlace(name, () => this.serve());
  }

  /** @internal Whether calls made inside a call that holds a place need none. */
  get reentrant(): boolean {
    return this.limits.reentrant ?? false;
  }

  /** @internal Whether no call has a place, asks or waits for one. */
  get idle(): boolean {
    return this.leases.size + this.waiting + this.asking === 0 && this.share.idle;
  }

  /** Its limits, and this instance's current numbers. */
  snapshot(): BulkheadSnapshot {
    const { name, limits, announcer } = this;
    const { maxConcurrent, maxQueue } = limits;
    const share = this.share.snapshot();
    return {
      name,
      maxConcurrent,
      maxQueue,
      running: this.leases.size + share.running,
      waiting: this.waiting + share.waiting,
      rejected: announcer.rejected + share.rejected,
    };
  }

  /** @internal Changes the limits. Calls that have a place keep it, and those that wait go on waiting. */
  reconfigure(limits: BulkheadLimits): void {
    this.limits = limits;
    this.adjustShare();
    this.serve();
  }

  /** @internal Asks for a place, or for an entry in the queue. @throws {BulkheadFullError} when neither is free */
  take(now: number): Place | SharedPlace {
    if (!this.store.available) {
      this.moveToShare(); // waiting calls come first
      return this.takeOfShare(now);
    }
    const place = new SharedPlace(this.leases.token(), now);
    place.begin(this.waiting > 0 ? this.queue(place) : this.enter(place));
    return place;
  }

  /** @internal Gives a place back, or leaves the queue. */
  giveBack(place: Place | SharedPlace, now: number): void {
    if (!(place instanceof SharedPlace)) return this.share.giveBack(place, now);
    const { state } = place;
    place.state = 'gone';
    if (state === 'waiting') {
      this.unlink(place);
      place.wake(false);
    } else if (place.local !== undefined) this.share.giveBack(place.local, now);
    else if (state === 'held') this.release(place, now);
  }

  /** @internal Rejects all waiting calls, and lets no further ones wait. */
  close(): void {
    this.closed = true;
    this.stopListening();
    for (let { first } = this.waiters; first !== undefined; { first } = this.waiters) {
      this.giveUp(first, 'closing');
    }
    this.disarm();
    this.leases.close();
    this.share.close();
  }

  private async enter(place: SharedPlace): Promise<void> {
    this.asking += 1;
    const reply = await this.acquire(place);
    this.asking -= 1;
    if (place.state === 'gone') return this.returnUnused(place, reply);
    if (reply === undefined) return this.enterShare(place);
    if (reply.granted) this.hold(place);
    else await this.queue(place);
  }

  private acquire({ token }: SharedPlace): Promise<PlacesReply | undefined> {
    return this.leases.acquire(token, this.limits.maxConcurrent);
  }

  private hold(place: SharedPlace): void {
    place.state = 'held';
    place.since = this.environment.clock.now();
    this.leases.add(place.token);
  }

  private release({ token, since }: SharedPlace, now: number): void {
    this.holdTimes.record(now - since);
    void this.leases.release(token).then(() => this.serve());
    if (!this.share.idle) this.adjustShare();
  }

  /** The call ended before it heard of its place. */
  private returnUnused({ token }: SharedPlace, reply: PlacesReply | undefined): void {
    if (reply?.granted) void this.leases.release(token).then(() => this.serve());
  }

  private async queue(place: SharedPlace): Promise<void> {
    const { maxQueue, maxWait } = this.limits;
    if (this.closed) throw this.rejection('closing');
    if (this.waiting >= maxQueue) throw this.rejection('full');
    const { clock } = this.environment;
    const began = clock.now();
    place.state = 'waiting';
    this.waiters.add(place);
    this.waiting += 1;
    const placed = new Promise<boolean>((resolve) => (place.wake = resolve));
    if (maxWait !== undefined) {
      place.deadline = outsideOfCalls(() =>
        clock.setTimer(() => this.giveUp(place, 'max-wait'), maxWait),
      );
    }
    if (this.timer === undefined && !this.serving) this.arm(ASK_AGAIN);
    if (!(await placed)) {
      const { refused } = place;
      if (refused === undefined) return; // the call has ended
      throw typeof refused === 'string' ? this.rejection(refused) : refused;
    }
    if (place.local !== undefined && typeof place.local !== 'number') await place.local.ready;
    else this.announcer.queued(clock.now() - began);
  }

  /** Asks for places for the waiting calls, one after the other. */
  private serve(): void {
    this.freed = true;
    if (!this.serving && this.waiting > 0) void this.serveAll();
  }

  private async serveAll(): Promise<void> {
    this.serving = true;
    this.disarm();
    let again = ASK_AGAIN;
    while (this.freed) {
      this.freed = false;
      for (let { first } = this.waiters; first !== undefined; { first } = this.waiters) {
        const reply = await this.acquire(first);
        if (first.state !== 'waiting') this.returnUnused(first, reply);
        else if (reply === undefined) this.moveToShare();
        else if (reply.granted) this.place(first);
        else {
          again = Math.min(ASK_AGAIN, reply.retryAfterMs ?? ASK_AGAIN);
          break;
        }
      }
    }
    this.serving = false;
    if (this.waiting > 0) this.arm(again);
  }

  private place(place: SharedPlace): void {
    this.unlink(place);
    this.hold(place);
    place.wake(true);
  }

  /** The store is away: waiting calls wait for this instance's share from now on. */
  private moveToShare(): void {
    for (let { first } = this.waiters; first !== undefined; { first } = this.waiters) {
      this.unlink(first);
      try {
        first.local = this.takeOfShare(this.environment.clock.now());
        first.state = 'held';
        first.wake(true);
      } catch (error) {
        first.state = 'gone';
        first.refused = error as BulkheadFullError;
        first.wake(false);
      }
    }
  }

  private async enterShare(place: SharedPlace): Promise<void> {
    place.local = this.takeOfShare(this.environment.clock.now());
    place.state = 'held';
    if (typeof place.local !== 'number') await place.local.ready;
  }

  private takeOfShare(now: number): Place {
    this.adjustShare();
    return this.share.take(now);
  }

  /** The calls that this instance may run without the store, in addition to those with places of the store. */
  private adjustShare(): void {
    const share = Math.max(1, Math.floor(this.limits.maxConcurrent / this.store.instances));
    this.share.reconfigure({
      ...this.limits,
      maxConcurrent: Math.max(0, share - this.leases.size),
    });
  }

  private giveUp(place: SharedPlace, reason: BulkheadFullReason): void {
    this.unlink(place);
    place.state = 'gone';
    place.refused = reason;
    place.wake(false);
  }

  private unlink(place: SharedPlace): void {
    place.deadline?.cancel();
    this.waiters.remove(place);
    this.waiting -= 1;
    if (this.waiting === 0) this.disarm();
  }

  private rejection(reason: BulkheadFullReason): BulkheadFullError {
    const { waiting, limits, holdTimes } = this;
    const expected = holdTimes.expectedWait(waiting, limits.maxConcurrent);
    return this.announcer.rejection(reason, reason === 'closing' ? undefined : expected);
  }

  private arm(ms: number): void {
    this.disarm();
    this.timer = outsideOfCalls(() =>
      this.environment.clock.setTimer(() => {
        this.timer = undefined;
        this.serve();
      }, ms),
    );
  }

  private disarm(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }
}
