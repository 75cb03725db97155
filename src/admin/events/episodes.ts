import type { BreakerState, StateChangeEvent } from '../../telemetry/events.js';
import type { AdminCause } from '../contract.js';

/** How many breakers are remembered; those that changed longest ago are forgotten first. */
const MOST = 5_000;

/** The latest change of a breaker's state. */
export interface Episode {
  readonly state: BreakerState;
  readonly cause: AdminCause;
  /** Since when it has not been closed; `undefined` while it is. */
  readonly illSince: number | undefined;
}

/** Since when breakers have their states, and why. */
export class Episodes {
  private readonly latest = new Map<string, Episode>();

  record({ name, to, reason, counts }: StateChangeEvent, at: number): void {
    const illSince = to === 'closed' ? undefined : (this.latest.get(name)?.illSince ?? at);
    this.latest.delete(name); // so that the latest change is the last one
    this.latest.set(name, { state: to, cause: { reason, at, counts }, illSince });
    if (this.latest.size > MOST) this.latest.delete(this.latest.keys().next().value!);
  }

  /** The latest change; `undefined` when it is unknown, or no longer the latest. */
  of(name: string, state: BreakerState): Episode | undefined {
    const known = this.latest.get(name);
    return known?.state === state ? known : undefined;
  }
}
