import type { Outcome } from '../../common/outcome.js';
import type { Blockade } from '../../pipeline/call.js';
import type { RollingMetrics } from '../../telemetry/metrics/metrics.js';

/** What has been seen of an admitted call: its end, nothing (its caller has gone), or that it was turned away inside. */
export type Ending = 'seen' | 'unseen' | 'turned-away';

/** Who takes back a permit. */
interface Issuer {
  settle(permit: Permit, outcome: Outcome, error?: unknown, now?: number, ending?: Ending): void;
  readonly blockade: Blockade | undefined;
  readonly metrics: RollingMetrics;
}

/**
 * What a breaker gives an admitted call. One of its methods has to be called when the call has ended; the first
 * counts, further ones do nothing. A permit of an older generation (the breaker has changed its state since)
 * changes nothing.
 */
export class Permit {
  /** @internal Whether its outcome has been told. */
  settled = false;
  /** @internal Whether the breaker has stopped waiting for it. */
  expired = false;
  /** @internal */
  previous: Permit | undefined = undefined;
  /** @internal */
  next: Permit | undefined = undefined;

  /** @internal */
  constructor(
    private readonly issuer: Issuer,
    /** @internal */
    readonly generation: number,
    /** Whether its outcome decides about a half-open circuit. */
    readonly probe: boolean,
    /** @internal */
    readonly admittedAt: number,
    /** @internal When the breaker stops waiting for the outcome. */
    readonly expiresAt: number,
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

/** Permits in the order in which they expire. Adding and removing are O(1). */
export class PermitQueue {
  head: Permit | undefined = undefined;
  private tail: Permit | undefined = undefined;

  add(permit: Permit): void {
    // Nearly always the last: older ones expire later only when their time has been shortened meanwhile.
    let before = this.tail;
    while (before !== undefined && before.expiresAt > permit.expiresAt) before = before.previous;
    const after = before === undefined ? this.head : before.next;
    permit.previous = before;
    permit.next = after;
    if (before === undefined) this.head = permit;
    else before.next = permit;
    if (after === undefined) this.tail = permit;
    else after.previous = permit;
  }

  remove(permit: Permit): void {
    const { previous, next } = permit;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.tail = previous;
    else next.previous = previous;
    permit.previous = undefined;
    permit.next = undefined;
  }
}
