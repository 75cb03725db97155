/** The rate and the burst of a limit. */
export interface Rate {
  /** Calls per {@link perMs}. */
  readonly limit: number;
  /** The period of {@link limit}, milliseconds. */
  readonly perMs: number;
  /** Calls that may come at once. */
  readonly burst: number;
}

/** Sums and differences are off by less than this, calls. */
const ROUNDING = 1e-9;

/**
 * The generic cell rate algorithm (ITU-T I.371): a bucket that holds `burst` calls and leaks `limit` calls per `perMs`,
 * evenly. A call is allowed when it still fits. The leaked amount follows from the time, so there are no timers.
 *
 * The usual form keeps the time at which the bucket will be empty. The calls and the time at which they were counted
 * are equivalent, and stay exact however large the time is.
 */
export class Gcra {
  /** Calls in the bucket, at the time {@link at}. */
  private level = 0;
  private at = 0;
  /** From one call to the next at full rate, milliseconds. */
  private interval: number;

  constructor(private rate: Rate) {
    this.interval = intervalOf(rate);
  }

  /**
   * Counts `cost` calls if they are allowed now.
   *
   * @returns 0; if they are not allowed and so not counted, how long they would have to wait, milliseconds
   */
  take(cost: number, now: number): number {
    const level = this.levelAt(now);
    const over = level + cost - this.rate.burst;
    if (over > ROUNDING) return over * this.interval;
    this.level = level + cost;
    this.at = now;
    return 0;
  }

  /** When `cost` calls are allowed if no others come; may be in the past. */
  allowedAt(cost: number): number {
    const over = this.level + cost - this.rate.burst;
    return over > ROUNDING ? this.at + over * this.interval : this.at;
  }

  /** Counts `cost` calls as made at the time `at`, which is not earlier than any call counted so far. */
  count(cost: number, at: number): void {
    this.level = this.levelAt(at) + cost;
    this.at = at;
  }

  /** How many calls would be allowed now, one by one. */
  remaining(now: number): number {
    return Math.max(0, Math.floor(this.rate.burst - this.levelAt(now) + ROUNDING));
  }

  /** Milliseconds until more calls than `remaining` are allowed; `undefined`: never. */
  nextMs(now: number, remaining: number): number | undefined {
    const more = remaining + 1;
    if (more > this.rate.burst + ROUNDING) return undefined;
    return Math.max(0, this.allowedAt(more) - now);
  }

  /** Milliseconds until the bucket is empty. */
  resetMs(now: number): number {
    return this.levelAt(now) * this.interval;
  }

  /**
   * Continues with another rate. Calls that have been counted stay counted, but never more than fit: otherwise a lower limit
   * could block everything for hours.
   */
  reconfigure(rate: Rate, now: number): void {
    this.level = Math.min(this.levelAt(now), rate.burst);
    this.at = now;
    this.rate = rate;
    this.interval = intervalOf(rate);
  }

  private levelAt(now: number): number {
    const level = this.level - (now - this.at) / this.interval;
    return level > ROUNDING ? level : 0;
  }
}

function intervalOf({ limit, perMs }: Rate): number {
  return perMs / limit;
}
