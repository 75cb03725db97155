import type { Outcome } from '../../common/outcomes/outcome.js';
import type { Blockade } from '../../pipeline/call-state.js';
import type { Holding } from '../../pipeline/holding.js';
import type { RollingMetrics } from '../../telemetry/metrics/metrics.js';
import type { PermitQueue } from './leases.js';

/** How an admitted call ended: its end was seen, or not (its caller has gone), or it was rejected further inside. */
export type Ending = 'seen' | 'unseen' | 'turned-away';

/** The breaker that has issued a permit. */
export interface Issuer {
  admit(now: number): Permit | undefined;
  settle(permit: Permit, outcome: Outcome, error: unknown, now: number, ending: Ending): void;
  now(): number;
  readonly blockade: Blockade | undefined;
  readonly metrics: RollingMetrics;
}

/**
 * The right to one call through a breaker. One of its methods has to be called when the call has ended; only the first such
 * call counts. A permit of an older generation changes nothing: a new one begins with each change of state, each reset and
 * each end of a `resetInterval`.
 */
export class Permit {
  /** @internal Whether its outcome has been reported. */
  settled = false;
  /** @internal Whether the breaker has stopped waiting for it. */
  expired = false;
  /** @internal The queue with its time limit; `undefined` when it has none. */
  queue: PermitQueue | undefined = undefined;
  /** @internal */
  previous: Permit | undefined = undefined;
  /** @internal */
  next: Permit | undefined = undefined;
  /** @internal Shows a running probe to the calls inside it. */
  holding: Holding | undefined = undefined;

  /** @internal */
  constructor(
    private readonly issuer: Issuer,
    /** @internal */
    readonly generation: number,
    /** Whether the call is a probe, whose outcome decides about a half-open circuit. */
    readonly probe: boolean,
    /** @internal */
    readonly admittedAt: number,
    /** @internal The window's mark for the call. */
    readonly mark: number,
  ) {}

  /** The call has succeeded. */
  success(): void {
    this.issuer.settle(this, 'success', undefined, this.issuer.now(), 'seen');
  }

  /** The call has failed. */
  failure(error?: unknown): void {
    this.issuer.settle(this, 'failure', error, this.issuer.now(), 'seen');
  }

  /** The call says nothing about the dependency. */
  ignore(): void {
    this.issuer.settle(this, 'ignored', undefined, this.issuer.now(), 'unseen');
  }

  /** @internal Until when further calls will be rejected. */
  get blockade(): Blockade | undefined {
    return this.issuer.blockade;
  }

  /** @internal The metrics that the call is counted in. */
  get metrics(): RollingMetrics {
    return this.issuer.metrics;
  }

  /**
   * @internal A stream, settled as a success at its first item, has broken: one failure more, as of another call. It changes
   * nothing when the generation has ended, or when no call is admitted.
   */
  broken(error: unknown, now: number): void {
    const another = this.issuer.admit(now);
    if (another?.generation === this.generation) another.settle('failure', error, now, 'seen');
    else another?.settle('ignored', undefined, now, 'unseen');
  }

  /** @internal Settles it at a known time. */
  settle(outcome: Outcome, error: unknown, now: number, ending: Ending): void {
    this.issuer.settle(this, outcome, error, now, ending);
  }
}

/** The permit of a call inside a running probe: it is part of the probe, so its own outcome has no effect. */
export function travelling(issuer: Issuer, generation: number, now: number): Permit {
  const permit = new Permit(issuer, generation, false, now, 0);
  permit.settled = true;
  return permit;
}
