import { outsideOfCalls } from './async-context.js';
import { realNow } from './time-source.js';

/** A beat later than this was delayed by a blocked event loop or a suspended process, milliseconds. */
export const LAG = 50;

/** Time between two beats, milliseconds. */
const PERIOD = 100;

/** Beats in time before overdue calls are judged: reading an answer may take some turns. */
const RECOVERY = 5;

/** After this many beats they are judged in any case, even if the event loop is late again and again. */
const LONGEST_RECOVERY = 20;

/** How many of the last gaps are remembered. */
const KEPT = 8;

/** Calls `callback` every `ms` milliseconds, without keeping the process alive. @returns a function that ends this */
export type Repeat = (callback: () => void, ms: number) => () => void;

/**
 * Notices when the event loop was blocked or the process suspended. Calls that fell due meanwhile are found late,
 * although their answers may have arrived in time and may still be unread; so they are not judged until the loop has
 * turned several times.
 *
 * There is one for the whole process, and it beats only while something waits for it.
 */
export class Pulse {
  private until = -Infinity;
  private stop: (() => void) | undefined = undefined;
  private last = 0;
  /** The last beat before a late one, until the loop has recovered; then `Infinity`. */
  private missedFrom = Infinity;
  /** Beats in time that the recovery still needs, and beats since it began. */
  private needed = 0;
  private taken = 0;
  private readonly gaps: { readonly from: number; readonly to: number }[] = [];

  constructor(
    private readonly now: () => number,
    private readonly repeat: Repeat,
  ) {}

  /** Keeps beating at least until then, since something waits for it. */
  watch(until: number): void {
    if (until <= this.until) return;
    this.until = until;
    this.stop ??= this.start();
  }

  /** Stops, since the application has closed. The next `watch()` starts it again, for another application for example. */
  rest(): void {
    this.stop?.();
    this.stop = undefined;
    this.until = -Infinity;
    this.gaps.length = 0;
  }

  /**
   * The start of the time, up to `now`, in which due calls may have been missed; `Infinity` when there is none, and
   * always when `now` is from another clock than the machine's, such as one that a test moves.
   */
  missed(now: number): number {
    const current = this.now();
    if (this.stop === undefined || Math.abs(current - now) > LAG) return Infinity;
    return isLate(this.last, current) ? Math.min(this.last, this.missedFrom) : this.missedFrom;
  }

  /** How long the event loop did not turn between `from` and `now`, milliseconds; 0 for another clock than the machine's. */
  lost(from: number, now: number): number {
    const current = this.now();
    if (this.stop === undefined || Math.abs(current - now) > LAG) return 0;
    let lost = isLate(this.last, current) ? now - Math.max(from, this.last) : 0;
    for (const gap of this.gaps) lost += Math.max(0, gap.to - Math.max(from, gap.from));
    return lost;
  }

  private start(): () => void {
    this.last = this.now();
    this.recovered();
    return this.repeat(() => this.beat(), PERIOD);
  }

  private beat(): void {
    const now = this.now();
    const late = isLate(this.last, now);
    this.recover(late);
    if (late) {
      this.gaps.push({ from: this.last, to: now });
      if (this.gaps.length > KEPT) this.gaps.shift();
    }
    this.last = now;
    if (this.needed > 0 || now < this.until) return;
    this.stop!();
    this.stop = undefined;
    this.gaps.length = 0;
  }

  private recover(late: boolean): void {
    if (this.needed > 0 && ++this.taken >= LONGEST_RECOVERY) this.recovered();
    if (late) {
      if (this.needed === 0) this.missedFrom = this.last;
      this.needed = RECOVERY;
    } else if (this.needed > 0 && --this.needed === 0) {
      this.recovered();
    }
  }

  private recovered(): void {
    this.missedFrom = Infinity;
    this.needed = 0;
    this.taken = 0;
  }
}

function isLate(last: number, now: number): boolean {
  return now - last > PERIOD + LAG;
}

// Captured at load: test frameworks replace the global ones.
const { setInterval, clearInterval } = globalThis;

export const pulse = new Pulse(realNow, (callback, ms) => {
  const timer = outsideOfCalls(() => setInterval(callback, ms).unref());
  return () => clearInterval(timer);
});

/** Whether `now` is from the machine's clock: only then can it be late. */
export function isMachineTime(now: number): boolean {
  return Math.abs(realNow() - now) < LAG;
}
