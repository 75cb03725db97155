import { outsideOfCalls } from '../common/async-context.js';
import type { Clock } from '../common/clock.js';
import type { Call } from './call.js';

/** The waits of calls between their attempts. All of them end when the application closes. */
export class Sleeper {
  private readonly wakers = new Set<(rested: boolean) => void>();
  private closed = false;

  constructor(private readonly clock: Clock) {}

  /** Resolves to true after `ms` milliseconds, or early to false when the application closes or the call is interrupted. */
  sleep(ms: number, call: Call): Promise<boolean> {
    if (this.closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const wake = (rested: boolean): void => {
        timer.cancel();
        call.stoppable = undefined;
        this.wakers.delete(wake);
        resolve(rested);
      };
      const timer = outsideOfCalls(() => this.clock.setTimer(() => wake(true), ms));
      this.wakers.add(wake);
      call.stopWith({ stop: () => wake(false) });
    });
  }

  /** The number of waiting calls. */
  get size(): number {
    return this.wakers.size;
  }

  /** Ends all waits, and lets no further call wait. */
  close(): void {
    this.closed = true;
    for (const wake of this.wakers) wake(false);
  }
}
