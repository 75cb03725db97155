import type { Outcome } from '../../common/outcomes/outcome.js';
import type { Blockade } from '../../pipeline/call.js';
import type { Holding } from '../../pipeline/holding.js';
import type { RollingMetrics } from '../../telemetry/metrics/metrics.js';
import type { PermitQueue } from './leases.js';

/** How an admitted call ended: its end was seen, or not (its caller has gone), or it was turned away further inside. */
export type Ending = 'seen' | 'unseen' | 'turned-away';

/** Who takes back a permit. */
export interface Issuer {
  settle(permit: Permit, outcome: Outcome, error?: unknown, now?: number, ending?: Ending): void;
  readonly blockade: Blockade | undefined;
  readonly metrics: RollingMetrics;
}

/**
 * Given to an admitted call. One of its methods has to be called when the call has ended; the first
 * counts, further ones do nothing. A permit of an older generation (the breaker has changed its state since)
 * changes nothing.
 */
export class Permit {
  /** @internal Whether its outcome has been told. */
  settled = false;
  /** @internal Whether the breaker has stopped waiting for it. */
  expired = false;
  /** @internal How long the breaker waits for the outcome; `undefined` when that has no limit. */
  queue: PermitQueue | undefined = undefined;
  /** @internal */
  previous: Permit | undefined = undefined;
  /** @internal */
  next: Permit | undefined = undefined;
  /** @internal Makes a running probe known to the calls inside of it. */
  holding: Holding | undefined = undefined;

  /** @internal */
  constructor(
    private readonly issuer: Issuer,
    /** @internal */
    readonly generation: number,
    /** Whether its outcome decides about a half-open circuit. */
    readonly probe: boolean,
    /** @internal */
    readonly admittedAt: number,
    /** @internal Where the window counts it. */
    readonly mark: number,
  ) {}

  /** The call was good for the dependency's health. */
  success(): void {
    this.issuer.settle(this, 'success');
  }

  /** The call has failed. */
  failure(error?: unknown): void {
    this.issuer.settle(this, 'failure', error);
  }

  /** The call says nothing about the dependency. */
  ignore(): void {
    this.issuer.settle(this, 'ignored', undefined, undefined, 'unseen');
  }

  /** @internal Whether further calls are turned away. */
  get blockade(): Blockade | undefined {
    return this.issuer.blockade;
  }

  /** @internal Where what becomes of the call is counted. */
  get metrics(): RollingMetrics {
    return this.issuer.metrics;
  }

  /** @internal At a known time. */
  settle(outcome: Outcome, error: unknown, now: number, ending: Ending): void {
    this.issuer.settle(this, outcome, error, now, ending);
  }
}

/** For a call inside of a running probe: it is part of the probe, so its own outcome has no effect. */
export function travelling(issuer: Issuer, generation: number, now: number): Permit {
  const permit = new Permit(issuer, generation, false, now, 0);
  permit.settled = true;
  return permit;
}
