import type { AsyncResource } from 'node:async_hooks';
import { type Deadline, DeadlineQueue } from '../../common/deadline-queue.js';
import type { Clock } from '../../common/clock.js';
import { LinkedList } from '../../common/linked-list.js';
import type { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { BulkheadAnnouncer } from './bulkhead-announcer.js';
import type { BulkheadFullError, BulkheadFullReason } from './bulkhead-full-error.js';
import { HoldTimes } from './hold-times.js';
import type { BulkheadSettings } from './options.js';
import type { BulkheadSnapshot } from './snapshot.js';

/** The part of an application that a bulkhead depends on. */
export interface BulkheadEnvironment {
  readonly clock: Clock;
  readonly events: ResilienceEvents;
}

/** The options of one bulkhead. */
export type BulkheadLimits = Pick<BulkheadSettings, 'maxConcurrent' | 'maxQueue' | 'maxWait'> &
  Partial<Pick<BulkheadSettings, 'reentrant'>>;

/** An accepted call that waits for a place. */
export class Waiter {
  /** @internal */
  previous: Waiter | undefined = undefined;
  /** @internal */
  next: Waiter | undefined = undefined;
  /** @internal `placed`: has left the queue with a place; `gone`: without one, or has given its place back. */
  state: 'waiting' | 'placed' | 'gone' = 'waiting';
  /** @internal */
  deadline: Deadline<Waiter> | undefined = undefined;
  /** @internal The queue that holds its deadline. */
  deadlines: DeadlineQueue<Waiter> | undefined = undefined;
  /** @internal Its async context, in which events about it are emitted; only set with a listener. */
  origin: AsyncResource | undefined = undefined;
  /** @internal The error, when it gets no place. */
  rejection: BulkheadFullError | undefined = undefined;
  /** @internal */
  resolve!: () => void;
  /** @internal */
  reject!: (error: BulkheadFullError) => void;

  /** Resolves when it has a place; rejects when it will get none. */
  readonly ready = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  /** @internal */
  constructor(
    /** @internal When it began to wait; once placed, when it got its place. */
    public since: number,
  ) {}
}

/** The state of an accepted call: the time at which it got a place, or its entry in the queue. */
export type Place = number | Waiter;

/**
 * Limits how many calls run at a time, and how many may wait, so that one slow dependency cannot occupy everything.
 *
 * A place that becomes free is handed directly to the longest-waiting call, so no newcomer can take it. Every operation is
 * O(1). Every accepted call gets a place, unless it leaves the queue (timeout, abort, `maxWait`, the application is closing).
 */
export class Bulkhead {
  private running = 0;
  private waiting = 0;
  /** The waiting calls, longest wait first. */
  private readonly waiters = new LinkedList<Waiter>();
  private closed = false;
  private readonly holdTimes = new HoldTimes();
  private readonly announcer: BulkheadAnnouncer;
  /** The deadlines of calls that began to wait under the current `maxWait`. */
  private deadlines: DeadlineQueue<Waiter> | undefined;

  /** @internal */
  constructor(
    /** The name in the registry. */
    readonly name: string,
    private settings: BulkheadLimits,
    private readonly environment: BulkheadEnvironment,
  ) {
    this.deadlines = this.deadlinesAfter(settings.maxWait);
    this.announcer = new BulkheadAnnouncer(name, environment.events);
  }

  /** @internal Whether calls made inside a call that holds a place need none. */
  get reentrant(): boolean {
    return this.settings.reentrant ?? false;
  }

  /** @internal Whether no call has a place or waits for one. */
  get idle(): boolean {
    return this.running === 0 && this.waiting === 0;
  }

  /** Its limits and its current numbers. */
  snapshot(): BulkheadSnapshot {
    const { name, running, waiting } = this;
    const { rejected } = this.announcer;
    const { maxConcurrent, maxQueue } = this.settings;
    return { name, maxConcurrent, maxQueue, running, waiting, rejected };
  }

  /**
   * @internal Changes the limits. Calls that hold a place keep it. Waiting calls go on waiting, under the `maxWait` that they
   * began with; free places go to them at once.
   */
  reconfigure(limits: BulkheadLimits): void {
    const { maxWait } = this.settings;
    this.settings = limits;
    if (limits.maxWait !== maxWait) {
      this.deadlines?.close(); // leaves no timer behind, once nothing waits there
      this.deadlines = this.deadlinesAfter(limits.maxWait);
    }
    for (let { first } = this.waiters; first !== undefined; { first } = this.waiters) {
      // Read each time: a listener may have changed it.
      if (this.running >= this.settings.maxConcurrent) return;
      this.running += 1;
      this.place(first);
    }
  }

  /**
   * @internal Takes a place, or an entry in the queue.
   *
   * @throws {BulkheadFullError} when neither is free
   */
  take(now: number): Place {
    if (this.running < this.settings.maxConcurrent) {
      this.running += 1;
      return now;
    }
    if (this.waiting < this.settings.maxQueue && !this.closed) return this.queue(now);
    throw this.rejection(this.closed ? 'closing' : 'full');
  }

  /** @internal Gives a place back, or leaves the queue. */
  giveBack(place: Place, now: number): void {
    if (typeof place === 'number') return this.release(now - place);
    if (place.state === 'waiting') this.unlink(place);
    else if (place.state === 'placed') this.release(now - place.since);
    place.state = 'gone';
  }

  /** @internal Rejects all waiting calls, and lets no further ones wait. */
  close(): void {
    this.closed = true;
    for (let { first } = this.waiters; first !== undefined; { first } = this.waiters) {
      this.giveUp(first, 'closing');
    }
    this.deadlines?.close();
  }

  private queue(now: number): Waiter {
    const waiter = new Waiter(now);
    this.waiters.add(waiter);
    this.waiting += 1;
    waiter.deadlines = this.deadlines;
    waiter.deadline = this.deadlines?.add(waiter, now);
    waiter.origin = this.announcer.origin();
    return waiter;
  }

  private unlink(waiter: Waiter): void {
    this.waiters.remove(waiter);
    this.waiting -= 1;
    if (waiter.deadline !== undefined) waiter.deadlines!.remove(waiter.deadline);
  }

  /** Passes the place on to the call that has waited longest, if any. */
  private release(heldMs: number): void {
    const { first } = this.waiters;
    this.holdTimes.record(heldMs);
    // After `maxConcurrent` has been lowered, more calls may run than there are places.
    if (first === undefined || this.running > this.settings.maxConcurrent) {
      this.running -= 1;
      return;
    }
    this.place(first);
  }

  private place(waiter: Waiter): void {
    this.unlink(waiter);
    waiter.state = 'placed';
    const now = this.environment.clock.now();
    const waitedMs = now - waiter.since;
    waiter.since = now;
    waiter.resolve();
    this.announcer.queued(waitedMs, waiter.origin);
  }

  private deadlinesAfter(maxWait: number | undefined): DeadlineQueue<Waiter> | undefined {
    if (maxWait === undefined) return undefined;
    return new DeadlineQueue(this.environment.clock, maxWait, (waiter) =>
      this.giveUp(waiter, 'max-wait'),
    );
  }

  private giveUp(waiter: Waiter, reason: BulkheadFullReason): void {
    this.unlink(waiter);
    waiter.state = 'gone';
    waiter.rejection = this.rejection(reason, waiter);
    waiter.reject(waiter.rejection);
  }

  private rejection(reason: BulkheadFullReason, waiter?: Waiter): BulkheadFullError {
    const { waiting, settings } = this;
    const retryAfterMs =
      reason === 'closing'
        ? undefined
        : this.holdTimes.expectedWait(waiting, settings.maxConcurrent);
    return this.announcer.rejection(reason, retryAfterMs, waiter?.origin);
  }
}
