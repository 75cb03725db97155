import { outsideOfCalls } from './async-context.js';
import type { Clock, Timer } from './clock.js';
import { QUIET_TURNS, isLate } from './late.js';
import { type Linked, LinkedList } from './linked-list.js';

/** A place in a {@link DeadlineQueue}. */
export class Deadline<T> implements Linked<Deadline<T>> {
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
 * were set: a linked list and one timer for its first, instead of a timer for each. Setting and removing are O(1).
 *
 * The timer goes on when the list has run empty, without keeping the process alive, and is used again. It belongs to
 * no call: what is due is told outside of all of them.
 */
export class DeadlineQueue<T> {
  private readonly list = new LinkedList<Deadline<T>>();
  private timer: Timer | undefined = undefined;
  /** When the timer is to fire. */
  private timerAt = Infinity;
  /** Items due by then were late; they have had turns of the event loop to settle first. */
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
    if (this.list.first === undefined) {
      if (this.timer === undefined) this.arm(now, this.ms);
      else this.timer.ref();
    }
    this.list.add(deadline);
    if (now - this.timerAt > OVERDUE) this.arm(now, 0);
    return deadline;
  }

  remove(deadline: Deadline<T>): void {
    if (!deadline.queued) return;
    deadline.queued = false;
    if (deadline.at <= this.lateUntil) this.settledLate += 1;
    this.list.remove(deadline);
    if (this.list.first === undefined) this.rest();
  }

  /** Leaves no timer behind once the list is empty. */
  close(): void {
    this.closed = true;
    if (this.list.first === undefined) this.rest();
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
      const { first } = this.list;
      if (first !== undefined && this.timer === undefined) {
        this.arm(now, Math.max(0, first.at - now));
      }
    }
  }

  /** Tells what is due, for as long as one turn of the event loop may take. */
  private tellDue(now: number): void {
    const { list } = this;
    for (
      let { first } = list;
      first !== undefined && first.at - now < PRECISION;
      { first } = list
    ) {
      if (first.at > this.lateUntil && isLate(first.at, now) && !this.clock.faked) {
        this.lateUntil = now;
        return this.letSettle(QUIET_TURNS);
      }
      this.remove(first);
      this.onDue(first.item);
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
