import { AsyncResource } from 'node:async_hooks';
import type { Clock, Timer } from './clock.js';

/** A place in a {@link DeadlineQueue}. */
export class Deadline<T> {
  previous: Deadline<T> | undefined = undefined;
  next: Deadline<T> | undefined = undefined;
  queued = true;

  constructor(
    readonly at: number,
    readonly item: T,
  ) {}
}

/** A timer that fires this much too late may have been kept by a blocked event loop. */
const LAG = 50;

/** Node's timers may fire up to a millisecond early. */
const PRECISION = 1;

/**
 * Deadlines that are all equally far away when they are set, so that they fall due in the order in which they
 * were set: a linked list and one timer for its head, instead of a timer for each. Setting and removing are O(1).
 *
 * The timer goes on when the list has run empty, without keeping the process alive, and is used again.
 */
export class DeadlineQueue<T> {
  private head: Deadline<T> | undefined = undefined;
  private tail: Deadline<T> | undefined = undefined;
  private timer: Timer | undefined = undefined;
  private closed = false;
  private readonly context = new AsyncResource('nest-resilience:deadlines');

  constructor(
    private readonly clock: Clock,
    readonly ms: number,
    private readonly onDue: (item: T) => void,
  ) {}

  add(item: T, now: number): Deadline<T> {
    const deadline = new Deadline(now + this.ms, item);
    const { tail } = this;
    if (tail === undefined) {
      this.head = deadline;
      if (this.timer === undefined) this.arm(this.ms);
      else this.timer.ref();
    } else {
      tail.next = deadline;
      deadline.previous = tail;
    }
    this.tail = deadline;
    return deadline;
  }

  remove(deadline: Deadline<T>): void {
    if (!deadline.queued) return;
    deadline.queued = false;
    const { previous, next } = deadline;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.tail = previous;
    else next.previous = previous;
    if (this.head === undefined) this.rest();
  }

  /** Leaves no timer behind once the list is empty. */
  close(): void {
    this.closed = true;
    if (this.head === undefined) this.rest();
  }

  private rest(): void {
    if (!this.closed) {
      this.timer?.unref();
      return;
    }
    this.timer?.cancel();
    this.timer = undefined;
  }

  /** Not in the async context of the call that happens to be first: the timer is everybody's. */
  private arm(ms: number, deferred = false): void {
    this.timer = this.context.runInAsyncScope(() =>
      this.clock.setTimer(() => this.fire(deferred), ms),
    );
  }

  private fire(deferred: boolean): void {
    this.timer = undefined;
    const now = this.clock.now();
    // When the loop was blocked, answers that came in time may still wait to be read: let them go first.
    if (!deferred && this.head !== undefined && now - this.head.at > LAG) return this.arm(0, true);
    try {
      while (this.head !== undefined && this.head.at - now < PRECISION) {
        const { item } = this.head;
        this.remove(this.head);
        this.onDue(item);
      }
    } finally {
      // A deadline that was set meanwhile has armed the timer.
      if (this.head !== undefined && this.timer === undefined) this.arm(this.head.at - now);
    }
  }
}
