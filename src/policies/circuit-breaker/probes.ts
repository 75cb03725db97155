import type { BreakerSettings } from './options.js';
import { Leases, expiryOf } from './leases.js';

/** The probes of a half-open circuit: so many at a time, each of them a lease, and how many have succeeded. */
export class Probes {
  /** Of all generations: what hangs is counted, though it may decide nothing any more. */
  readonly leases = new Leases();
  private running = 0;
  private succeeded = 0;

  /** Whether another one may begin: never more than could still be needed to close. */
  hasPlace({ maxProbes, successThreshold }: BreakerSettings): boolean {
    // One at least, though the rules may have changed.
    return this.running < Math.min(maxProbes, Math.max(1, successThreshold - this.succeeded));
  }

  begin(): void {
    this.running += 1;
  }

  /** One of the generation that runs has ended. */
  end(): void {
    this.running -= 1;
  }

  /** @returns whether that is enough to close */
  succeed({ successThreshold }: BreakerSettings): boolean {
    this.succeeded += 1;
    return this.succeeded >= successThreshold;
  }

  /** A new generation: those that still run decide nothing any more, and so calls inside of them are as all others. */
  clear(): void {
    this.running = 0;
    this.succeeded = 0;
    for (const probe of this.leases) probe.holding?.end();
  }

  /** How long the first one of that generation may still run, milliseconds; 0 when none runs. */
  wait(generation: number, now: number): number {
    for (const probe of this.leases) {
      if (probe.generation === generation) return Math.max(0, expiryOf(probe) - now);
    }
    return 0;
  }
}
