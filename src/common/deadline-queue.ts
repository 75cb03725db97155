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

/** How long due items may block the event loop at a time, milliseconds. */
const LONGEST_TURN = 10;

/** A timer that is later than this is set again, milliseconds. */
const OVERDUE = 100;

/**
 * Deadlines that are all equally far away when they are set, so that they fall due in the order in which they
 * were set: a linked list with one timer for its first item, instead of a timer per item. Adding and removing are O(1).
 *
 * When the list runs empty, the timer stays for the next item, without keeping the process alive. It belongs to no call:
 * `onDue` runs outside the async context of any call.
 */
export class DeadlineQueue<T> {
  private readonly list = new LinkedList<Deadline<T>>();
  private timer: Timer | undefined = undefined;
  /** When the timer is to fire. */
  private timerAt = Infinity;
  /** Items due by then were found late, and were given turns of the event loop to settle first. */
  private lateUntil = -Infinity;
  /** How many of the late items have settled. */
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

  /** A fake timer is not kept: it may be discarded, and there would be no way to notice. */
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
      this.notifyDue(now);
    } finally {
      // A late deadline, or one that was added meanwhile, may have armed the timer already.
      const { first } = this.list;
      if (first !== undefined && this.timer === undefined) {
        this.arm(now, Math.max(0, first.at - now));
      }
    }
  }

  /** Calls `onDue` for due items, for at most one turn. */
  private notifyDue(now: number): void {
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

  /** Answers that arrived in time may still wait to be read: gives them turns of the loop as long as any come in. */
  private letSettle(turns: number): void {
    const { settledLate } = this;
    this.arm(this.clock.now(), 0, () => {
      if (this.settledLate > settledLate) this.letSettle(QUIET_TURNS);
      else if (turns > 1) this.letSettle(turns - 1);
      else this.fire();
    });
  }
}
