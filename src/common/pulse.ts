import { outsideOfCalls } from './async-context.js';
import { realNow } from './time-source.js';

/** A beat that is so much too late was kept by a blocked event loop or a suspended process, milliseconds. */
export const LAG = 50;

const PERIOD = 100;

/** How many beats in time there have to be before what was missed is judged: reading an answer may take some turns. */
const RECOVERY = 5;

/** After so many beats it is judged in any case, though the event loop should be late again and again. */
const LONGEST_RECOVERY = 20;

/** How many of the last gaps are remembered. */
const KEPT = 8;

/** Calls back again and again, without keeping the process alive. @returns what ends it */
export type Repeat = (callback: () => void, ms: number) => () => void;

/**
 * Notices when the event loop was blocked or the process was suspended. What becomes due meanwhile is found late, and
 * its answer may have come in time and still wait to be read; so it is not judged before the loop has turned some times.
 *
 * One for the whole process, which beats only as long as somebody waits for something.
 */
export class Pulse {
  private until = -Infinity;
  private stop: (() => void) | undefined = undefined;
  private last = 0;
  /** The last beat before a late one, until the loop has recovered from that. */
  private missedFrom = Infinity;
  /** How many beats in time that still needs, and how many it has taken. */
  private needed = 0;
  private taken = 0;
  private readonly gaps: { readonly from: number; readonly to: number }[] = [];

  constructor(
    private readonly now: () => number,
    private readonly repeat: Repeat,
  ) {}

  /** Somebody waits for something until then. */
  watch(until: number): void {
    if (until <= this.until) return;
    this.until = until;
    this.stop ??= this.start();
  }

  /** Nobody waits any more: the application has closed. It beats again when another one does. */
  rest(): void {
    this.stop?.();
    this.stop = undefined;
    this.until = -Infinity;
    this.gaps.length = 0;
  }

  /**
   * From when on things that were due may have been missed, up to `now`; `Infinity` when nothing has been.
   * Always that when `now` is of another clock than the machine's, such as one that a test moves.
   */
  missed(now: number): number {
    const current = this.now();
    if (this.stop === undefined || Math.abs(current - now) > LAG) return Infinity;
    return isLate(this.last, current) ? Math.min(this.last, this.missedFrom) : this.missedFrom;
  }

  /** For how long of that time, which ends now, the event loop did not turn. */
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

// Taken at load: test frameworks replace the global ones.
const { setInterval, clearInterval } = globalThis;

export const pulse = new Pulse(realNow, (callback, ms) => {
  const timer = outsideOfCalls(() => setInterval(callback, ms).unref());
  return () => clearInterval(timer);
});

/** Whether times of a clock are those of the machine, which alone can be late. */
export function isMachineTime(now: number): boolean {
  return Math.abs(realNow() - now) < LAG;
}
