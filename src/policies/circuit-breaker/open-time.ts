import { show } from '../../common/options-reader.js';
import { retryAfterOf } from '../../common/outcomes/retry-after.js';
import type { DelayRule } from '../backoff/backoff.js';
import type { BreakerEnvironment } from './environment.js';
import type { BreakerSettings } from './options.js';

/** When `openFor` returns no usable time. */
const FALLBACK = 5_000;

/** How long a circuit stays open, which may depend on how often it has opened in a row. */
export class OpenTime {
  private openings = 0;
  /** The last one, milliseconds; `undefined` since the circuit was last closed. */
  private last: number | undefined = undefined;

  constructor(private readonly environment: BreakerEnvironment) {}

  /** The running one, milliseconds. */
  get current(): number {
    return this.last ?? FALLBACK;
  }

  /** The last one, or what the first will be, as far as that is known. */
  expected({ openForMs }: BreakerSettings): number | undefined {
    return this.last ?? openForMs;
  }

  /** Milliseconds to stay open after `error`. */
  next(error: unknown, { openFor, retryAfterCap }: BreakerSettings): number {
    this.openings += 1;
    const time = this.ask(openFor, error);
    const asked =
      retryAfterCap === 0 ? 0 : (retryAfterOf(error, this.environment.clock.wall()) ?? 0);
    this.last = Math.max(time, Math.min(asked, retryAfterCap));
    return this.last;
  }

  /** The circuit has closed. */
  reset(): void {
    this.openings = 0;
    this.last = undefined;
  }

  private ask(openFor: DelayRule, error: unknown): number {
    const { openings: attempt, last: previous, environment } = this;
    const { random } = environment;
    try {
      const time = openFor({ attempt, error, previous, random });
      return time >= 0 ? time : FALLBACK;
    } catch (thrown) {
      environment.warn(
        `openFor of a circuit breaker threw ${show(thrown)}; it stays open for ${FALLBACK} ms`,
      );
      return FALLBACK;
    }
  }
}
