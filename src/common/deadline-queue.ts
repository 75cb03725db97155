import { outsideOfCalls } from './async-context.js';
import type { Clock, Timer } from './clock.js';
import { QUIET_TURNS, isLate } from './late.js';

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
  /** What was due by then was late, and has had turns of the event loop to settle first. */
  private lateUntil = -Infinity;
  /** How much of that has settled. */
  private settledLate = 0;
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
    if (deadline.at <= this.lateUntil) this.settledLate += 1;
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

  private arm(now: number, ms: number, then = () => this.fire()): void {
    this.disarm();
    this.timerAt = now + ms;
    this.timer = outsideOfCalls(() =>
      this.clock.setTimer(() => {
        this.timer = undefined;
        this.timerAt = Infinity;
        then();
      }, ms),
    );
  }

  private disarm(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.timerAt = Infinity;
  }

  private fire(): void {
    const now = this.clock.now();
    try {
      this.tellDue(now);
    } finally {
      // A deadline that was set meanwhile, or one that is late, has armed the timer.
      if (this.head !== undefined && this.timer === undefined) {
        this.arm(now, Math.max(0, this.head.at - now));
      }
    }
  }

  /** Tells what is due, for as long as one turn of the event loop may take. */
  private tellDue(now: number): void {
    for (let { head } = this; head !== undefined && head.at - now < PRECISION; { head } = this) {
      if (head.at > this.lateUntil && isLate(head.at, now) && !this.clock.faked) {
        this.lateUntil = now;
        return this.letSettle(QUIET_TURNS);
      }
      this.remove(head);
      this.onDue(head.item);
      if (this.clock.now() - now >= LONGEST_TURN) return;
    }
  }

  /** Answers that came in time may still wait to be read: they go first, as long as they come in. */
  private letSettle(turns: number): void {
    const { settledLate } = this;
    this.arm(this.clock.now(), 0, () => {
      if (this.settledLate > settledLate) this.letSettle(QUIET_TURNS);
      else if (turns > 1) this.letSettle(turns - 1);
      else this.fire();
    });
  }
}
