import { AsyncResource } from 'node:async_hooks';
import { type Deadline, DeadlineQueue } from '../../common/deadline-queue.js';
import type { Clock } from '../../common/clock.js';
import { LinkedList } from '../../common/linked-list.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import type { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { BulkheadFullError, type BulkheadFullReason } from './bulkhead-full-error.js';
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

/** A call that has been accepted and waits for a place. */
export class Waiter {
  /** @internal */
  previous: Waiter | undefined = undefined;
  /** @internal */
  next: Waiter | undefined = undefined;
  /** @internal Whether it has come out of the queue with a place, or is out of it without one. */
  state: 'waiting' | 'placed' | 'gone' = 'waiting';
  /** @internal */
  deadline: Deadline<Waiter> | undefined = undefined;
  /** @internal Where it came from, so that what is told of it is told there; when anybody listens. */
  origin: AsyncResource | undefined = undefined;
  /** @internal Why it gets no place. */
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
    /** @internal Since when it has waited; since when it has had its place. */
    public since: number,
  ) {}
}

/** The state of an accepted call: the time since which it has a place, or its entry in the queue. */
export type Place = number | Waiter;

/** How much a new duration weighs in the mean. */
const WEIGHT = 0.1;

/** The suggested wait when nothing is known yet, milliseconds. */
const UNKNOWN_HOLD = 1_000;

/**
 * Lets so many calls run at a time and so many wait, so that one slow dependency cannot take up everything.
 *
 * A place that becomes free goes to the call that has waited longest, without being free in between: a newcomer
 * cannot take it. Every operation is O(1). Everything that was accepted gets a place, unless it leaves the queue
 * (timeout, abort, `maxWait`).
 */
export class Bulkhead {
  private running = 0;
  private waiting = 0;
  private rejected = 0;
  /** Who waits, longest first. */
  private readonly waiters = new LinkedList<Waiter>();
  private closed = false;
  /** How long places are held, milliseconds: an exponentially weighted mean. */
  private meanHold: number | undefined = undefined;
  private readonly deadlines: DeadlineQueue<Waiter> | undefined;

  /** @internal */
  constructor(
    readonly name: string,
    private readonly settings: BulkheadLimits,
    private readonly environment: BulkheadEnvironment,
  ) {
    const { maxWait } = settings;
    if (maxWait === undefined) return;
    this.deadlines = new DeadlineQueue(environment.clock, maxWait, (waiter) =>
      this.giveUp(waiter, 'max-wait'),
    );
  }

  /** @internal Whether calls inside of one that holds a place need none. */
  get reentrant(): boolean {
    return this.settings.reentrant ?? false;
  }

  /** @internal Whether nobody has a place or waits for one. */
  get idle(): boolean {
    return this.running === 0 && this.waiting === 0;
  }

  snapshot(): BulkheadSnapshot {
    const { name, running, waiting, rejected } = this;
    const { maxConcurrent, maxQueue } = this.settings;
    return { name, maxConcurrent, maxQueue, running, waiting, rejected };
  }

  /**
   * @internal A place, or one in the queue.
   *
   * @throws {BulkheadFullError} when there is neither
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

  /** @internal Nobody waits any more. */
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
    waiter.deadline = this.deadlines?.add(waiter, now);
    if (this.environment.events.active) waiter.origin = new AsyncResource('nest-resilience:waiter');
    return waiter;
  }

  private unlink(waiter: Waiter): void {
    this.waiters.remove(waiter);
    this.waiting -= 1;
    if (waiter.deadline !== undefined) this.deadlines!.remove(waiter.deadline);
  }

  /** The place goes to who has waited longest. */
  private release(heldMs: number): void {
    const { meanHold } = this;
    const { first } = this.waiters;
    this.meanHold = meanHold === undefined ? heldMs : meanHold + (heldMs - meanHold) * WEIGHT;
    if (first === undefined) {
      this.running -= 1;
      return;
    }
    this.unlink(first);
    first.state = 'placed';
    const now = this.environment.clock.now();
    const waitedMs = now - first.since;
    first.since = now;
    first.resolve();
    this.tell({ type: 'queued', name: this.name, waitedMs }, first);
  }

  private giveUp(waiter: Waiter, reason: BulkheadFullReason): void {
    this.unlink(waiter);
    waiter.state = 'gone';
    waiter.rejection = this.rejection(reason, waiter);
    waiter.reject(waiter.rejection);
  }

  private rejection(reason: BulkheadFullReason, waiter?: Waiter): BulkheadFullError {
    this.rejected += 1;
    const retryAfterMs = reason === 'closing' ? undefined : this.expectedWait();
    const { name } = this;
    const error = new BulkheadFullError(name, reason, retryAfterMs);
    const { policy, code } = error;
    this.tell({ type: 'rejected', name, policy, code, retryAfterMs }, waiter);
    return error;
  }

  /** In the async context of the call that it is about: the one that runs may be another's. */
  private tell(event: ResilienceEvent, waiter: Waiter | undefined): void {
    const { events } = this.environment;
    if (!events.active) return;
    if (waiter?.origin === undefined) events.emit(event);
    else waiter.origin.runInAsyncScope(() => events.emit(event));
  }

  /** When all who wait have had a place, going by how long places have been held. */
  private expectedWait(): number {
    const { meanHold = UNKNOWN_HOLD, waiting, settings } = this;
    return (meanHold * (waiting + 1)) / settings.maxConcurrent;
  }
}
