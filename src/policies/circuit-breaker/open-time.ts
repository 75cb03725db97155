import { retryAfterOf } from '../../common/outcomes/retry-after.js';
import { printable, show } from '../../common/printable.js';
import { swallow } from '../../common/outcomes/look.js';
import type { DelayRule } from '../backoff/backoff.js';
import type { BreakerEnvironment } from './environment.js';
import type { BreakerSettings } from './options.js';

/** The open time when `openFor` returns an unusable one, milliseconds. */
const FALLBACK = 5_000;

/** How many open times are sent to the fleet: a backoff hardly grows further. */
const RUNGS = 10;

/** How long a circuit stays open, which may depend on how often it has opened in a row. */
export class OpenTime {
  private openings = 0;
  /** The last open time, milliseconds; `undefined` since the circuit was last closed. */
  private last: number | undefined = undefined;

  constructor(
    private readonly name: string,
    private readonly environment: BreakerEnvironment,
  ) {}

  /** The last open time, milliseconds. */
  get current(): number {
    return this.last ?? FALLBACK;
  }

  /** The last open time, or the first one if it is known already. */
  expected({ openForMs }: BreakerSettings): number | undefined {
    return this.last ?? openForMs;
  }

  /** Milliseconds to stay open after `error`. */
  next(error: unknown, { openFor, retryAfterCap }: BreakerSettings): number {
    this.openings += 1;
    const time = this.ask(openFor, error, this.openings, this.last);
    const asked = retryAfterCap === 0 ? 0 : this.askedBy(error);
    this.last = Math.max(time, Math.min(asked, retryAfterCap));
    return this.last;
  }

  /** The fleet has opened the circuit. */
  adopt(openings: number, ms: number): void {
    this.openings = openings;
    this.last = ms;
  }

  /**
   * The open times after `error`, milliseconds, by the number of earlier openings; the last one applies to all further
   * ones.
   */
  ladder(error: unknown, { openFor, retryAfterCap }: BreakerSettings): number[] {
    const asked = Math.min(retryAfterCap === 0 ? 0 : this.askedBy(error), retryAfterCap);
    const times: number[] = [];
    let previous: number | undefined;
    for (let attempt = 1; attempt <= RUNGS; attempt++) {
      previous = Math.max(this.ask(openFor, error, attempt, previous), asked);
      times.push(previous);
    }
    while (times.length > 1 && times.at(-1) === times.at(-2)) times.pop();
    return times;
  }

  /** The circuit has closed. */
  reset(): void {
    this.openings = 0;
    this.last = undefined;
  }

  /** Calls `openFor`; whatever a user's function does, the circuit does not stay open forever. */
  private ask(
    openFor: DelayRule,
    error: unknown,
    attempt: number,
    previous: number | undefined,
  ): number {
    const { random } = this.environment;
    let time: unknown;
    try {
      time = openFor({ attempt, error, previous, random });
    } catch (thrown) {
      return this.fallBack(`threw ${show(thrown)}`);
    }
    if (typeof time === 'number' && time > 0 && time < Infinity) return time;
    swallow(time);
    return this.fallBack(`returned ${show(time)}, which is not a positive number of milliseconds`);
  }

  private fallBack(what: string): number {
    this.environment.warn(
      `circuit "${printable(this.name)}": openFor ${what}; it stays open for ${FALLBACK} ms`,
    );
    return FALLBACK;
  }

  private askedBy(error: unknown): number {
    try {
      return retryAfterOf(error, this.environment.clock.wall()) ?? 0;
    } catch {
      return 0; // an unreadable error asks for no wait
    }
  }
}
