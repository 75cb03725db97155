import type { BreakerSettings } from './options.js';
import { Leases, expiryOf } from './leases.js';

/** The probes of a half-open circuit: limits how many run, holds their leases, and counts successes. */
export class Probes {
  /** Of all generations: a hanging probe is counted even if it can no longer have an effect. */
  readonly leases = new Leases();
  private running = 0;
  private succeeded = 0;

  /**
   * Begins another probe, but never more than are still needed to close. @returns whether it has begun
   */
  reserve({ maxProbes, successThreshold }: BreakerSettings): boolean {
    // At least one, even if the settings have changed meanwhile.
    const places = Math.min(maxProbes, Math.max(1, successThreshold - this.succeeded));
    if (this.running >= places) return false;
    this.running += 1;
    return true;
  }

  /** A probe of the current generation has ended. */
  end(): void {
    this.running -= 1;
  }

  /** Counts a success. @returns whether there are enough to close */
  succeed({ successThreshold }: BreakerSettings): boolean {
    this.succeeded += 1;
    return this.succeeded >= successThreshold;
  }

  /** Begins a generation: running probes can no longer decide anything, so calls inside them become ordinary calls. */
  clear(): void {
    this.running = 0;
    this.succeeded = 0;
    for (const probe of this.leases) probe.holding?.end();
  }

  /** How long the first probe of that generation may still run, milliseconds; 0 when none runs. */
  wait(generation: number, now: number): number {
    for (const probe of this.leases) {
      if (probe.generation === generation) return Math.max(0, expiryOf(probe) - now);
    }
    return 0;
  }
}
