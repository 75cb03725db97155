/** The start of a window, and how many calls are certainly in it. */
interface Start {
  readonly at: number;
  calls: number;
}

/** Tolerances for the rounding of sums, and for clocks that are being adjusted. */
const ROUNDING = 1e-6;
const DRIFT = 1e-3;

/** A call that takes longer than this from the question to its turn is left out. Milliseconds. */
const LONGEST = 5_000;

/**
 * Checks calls against a rate in every window of time: at most `burst` plus what the rate allows in its length.
 *
 * A call is known to have been counted between two times. It is certainly in a window that contains both.
 */
export class Windows {
  private readonly starts: Start[] = [];
  private recent: number[] = [];
  /** How close a window came to its limit: 1 is full. */
  fullest = 0;
  calls = 0;

  constructor(
    private readonly perMs: number,
    private readonly burst: number,
  ) {}

  /** Calls come in the order of their later times. @returns the breach, if some window is above its limit */
  add(least: number, most: number): string | undefined {
    if (most - least > LONGEST) return undefined;
    this.calls += 1;
    this.recent = this.recent.filter((at) => at > most - LONGEST);
    const calls = this.recent.filter((at) => at >= least).length;
    this.recent.push(least);
    const later = this.starts.findIndex(({ at }) => at > least);
    const index = later < 0 ? this.starts.length : later;
    this.starts.splice(index, 0, { at: least, calls });
    let breach: string | undefined;
    for (const start of this.starts) {
      if (start.at > least) break;
      start.calls += 1;
      const length = most - start.at;
      const limit = this.burst + this.perMs * length * (1 + DRIFT);
      this.fullest = Math.max(this.fullest, start.calls / limit);
      if (start.calls > limit + ROUNDING) {
        breach = `${start.calls} calls within ${length.toFixed(1)} ms, ${limit.toFixed(2)} are allowed`;
      }
    }
    this.prune(most);
    return breach;
  }

  /** Of windows that begin so early that all further calls are in all of them, only the fullest matters. */
  private prune(now: number): void {
    const old = this.starts.findIndex(({ at }) => at > now - LONGEST);
    if (old <= 1) return;
    const rank = ({ at, calls }: Start): number => calls + this.perMs * at;
    const best = this.starts
      .splice(0, old)
      .reduce((one, other) => (rank(other) > rank(one) ? other : one));
    this.starts.unshift(best);
  }
}
