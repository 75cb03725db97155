import { outsideOfCalls } from './async-context.js';
import type { Clock, Timer } from './clock.js';
import { GRACE_TURNS, isLate } from './late.js';

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

/** Node's timers may fire up to a millisecond early. */
const PRECISION = 1;

/** How long the event loop is kept at a time by what has become due, milliseconds. */
const LONGEST_TURN = 10;

/** A timer that is later than this is not waited for any longer, milliseconds. */
const OVERDUE = 100;

/**
 * Deadlines that are all equally far away when they are set, so that they fall due in the order in which they
 * were set: a linked list and one timer for its head, instead of a timer for each. Setting and removing are O(1).
 *
 * The timer goes on when the list has run empty, without keeping the process alive, and is used again. It belongs to
 * no call: what is due is told outside of all of them.
 */
export class DeadlineQueue<T> {
  private head: Deadline<T> | undefined = undefined;
  private tail: Deadline<T> | undefined = undefined;
  private timer: Timer | undefined = undefined;
  /** When the timer is to fire. */
  private timerAt = Infinity;
  /** What was due by then has had its turns to settle. */
  private graceGivenAt = -Infinity;
  private closed = false;

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
      if (this.timer === undefined) this.arm(now, this.ms);
      else this.timer.ref();
    } else {
      tail.next = deadline;
      deadline.previous = tail;
    }
    this.tail = deadline;
    if (now - this.timerAt > OVERDUE) this.arm(now, 0);
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

  /** A timer that may be thrown away is not kept: nobody could tell whether it is still there. */
  private rest(): void {
    if (this.closed || this.clock.faked) this.disarm();
    else this.timer?.unref();
  }

  private arm(now: number, ms: number, graceTurns = 0): void {
    this.disarm();
    this.timerAt = now + ms;
    this.timer = outsideOfCalls(() => this.clock.setTimer(() => this.fire(graceTurns), ms));
  }

  private disarm(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.timerAt = Infinity;
  }

  /** @param graceTurns of the event loop that are still to pass before anything is judged */
  private fire(graceTurns: number): void {
    this.timer = undefined;
    this.timerAt = Infinity;
    const now = this.clock.now();
    if (graceTurns > 0) return this.arm(now, 0, graceTurns - 1);
    try {
      if (this.tellDue(now)) return this.arm(now, 0, GRACE_TURNS - 1);
    } finally {
      // A deadline that was set meanwhile has armed the timer.
      if (this.head !== undefined && this.timer === undefined) {
        this.arm(now, Math.max(0, this.head.at - now));
      }
    }
  }

  /**
   * Tells what is due, for as long as one turn of the event loop may take.
   *
   * @returns whether the next ones are late: answers that came in time may still wait to be read, so they go first
   */
  private tellDue(now: number): boolean {
    for (let { head } = this; head !== undefined && head.at - now < PRECISION; { head } = this) {
      if (head.at > this.graceGivenAt && isLate(head.at, now)) {
        this.graceGivenAt = now;
        return true;
      }
      this.remove(head);
      this.onDue(head.item);
      if (this.clock.now() - now >= LONGEST_TURN) break;
    }
    return false;
  }
}
