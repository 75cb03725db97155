import { outsideOfCalls } from '../../common/async-context.js';
import type { GuardedStore } from '../../fleet/guarded-store.js';
import type { LimitDecision } from '../../fleet/store.js';
import type { Rate } from './gcra.js';
import type { Quota } from './headers.js';
import { LimitAnnouncer } from './limit-announcer.js';
import { OtherRates } from './other-rates.js';
import { RateLimiter, type RateLimiterEnvironment } from './rate-limiter.js';
import type { RateLimitedError, RateLimitedReason } from './rate-limited-error.js';
import type { RateLimitSnapshot } from './snapshot.js';
import type { Turn } from './turn.js';

/** The last answer of the store. */
interface Known extends Pick<LimitDecision, 'remaining' | 'resetMs'> {
  readonly at: number;
}

/** Calls that the store refuses for some time, from any instance. */
interface Refusal {
  /** Cheaper calls may be allowed. */
  readonly cost: number;
  /** Until then, no such call is allowed without a wait. */
  readonly until: number;
}

/**
 * A limit for all instances of the application; the store decides. While the store is away, this instance takes its
 * share of the limit. The store is not asked for a call that it is known to refuse.
 */
export class SharedRateLimiter {
  private readonly announcer: LimitAnnouncer;
  /** This instance's share, for as long as the store is away. */
  private readonly share: RateLimiter;
  /** The number of instances that {@link share} divides the limit by. */
  private instances = 1;
  private readonly otherRates: OtherRates;
  private known: Known | undefined = undefined;
  private refusal: Refusal | undefined = undefined;
  /** Whether the last answer of the store was missing, so that {@link share} decided although the store is not away yet. */
  private unanswered = false;
  /** The calls that the store has told to wait. */
  private readonly waiting = new Set<SharedTurn>();
  /** Calls that ask the store. */
  private asking = 0;
  private closed = false;

  /** @internal */
  constructor(
    /** The name in the registry and in the store. */
    readonly name: string,
    private rate: Rate,
    private readonly environment: RateLimiterEnvironment,
    private readonly store: GuardedStore,
    onOtherRates: () => void,
  ) {
    this.otherRates = new OtherRates(onOtherRates);
    this.announcer = new LimitAnnouncer(name, environment.events);
    this.share = new RateLimiter(name, rate, environment);
  }

  /** @internal Whether no call asks or waits: what it counts is in the store. */
  get idle(): boolean {
    return this.asking + this.waiting.size === 0 && this.share.idle;
  }

  /** @internal The limiter for a call: this one, for all. */
  forCall(): this {
    return this;
  }

  /** Its limit, and the latest numbers from the store. */
  snapshot(): RateLimitSnapshot {
    if (this.byShare) return this.snapshotOfShare();
    const { name, rate, known } = this;
    const { limit, perMs, burst } = rate;
    const resetMs = Math.max(0, known === undefined ? 0 : known.resetMs - (this.now() - known.at));
    const remaining = this.remaining(resetMs);
    const numbers = { limit, perMs, burst, remaining, resetMs, ...this.calls() };
    return { name, scope: 'shared', ...numbers };
  }

  /** @internal As {@link RateLimiter.quota}: while the store is away, that of the share. */
  quota(): Quota {
    if (this.byShare) return this.share.quota();
    return { ...this.rate, remaining: this.snapshot().remaining };
  }

  /** @internal As {@link RateLimiter.nextMs}: while the store is away, by the share. */
  nextMs(): number | undefined {
    if (this.byShare) return this.share.nextMs();
    const { limit, perMs, burst, remaining, resetMs } = this.snapshot();
    if (remaining === burst) return undefined;
    const afterThat = ((burst - remaining - 1) * perMs) / limit;
    return Math.max(0, resetMs - afterThat);
  }

  /** @internal Changes the limit; the store keeps what it has counted, as far as it fits. */
  reconfigure({ limit, perMs, burst }: Rate): void {
    this.rate = { limit, perMs, burst };
    this.known = undefined;
    this.refusal = undefined;
    this.share.reconfigure(this.rateOfShare());
  }

  /**
   * @internal As {@link RateLimiter.take}, except that a call that may be allowed has to wait for the store.
   *
   * @throws {RateLimitedError} when it is known that it cannot be allowed in time
   */
  take(cost: number, maxWait: number, now: number): Turn | undefined {
    if (cost === 0) return undefined;
    if (cost > this.rate.burst) throw this.rejection('cost');
    if (!this.store.available) return this.takeOfShare(cost, maxWait, now);
    const { refusal } = this;
    if (refusal !== undefined && cost >= refusal.cost && now + maxWait < refusal.until) {
      throw this.rejection('limit', Math.ceil(refusal.until - maxWait - now));
    }
    return new SharedTurn((turn) => this.ask(turn, cost, maxWait, now));
  }

  /** @internal Rejects all waiting calls, and lets no further ones wait. */
  close(): void {
    this.closed = true;
    for (const turn of [...this.waiting]) turn.wake(false);
    this.share.close();
  }

  private async ask(turn: SharedTurn, cost: number, maxWaitMs: number, now: number): Promise<void> {
    const request = { ...this.rate, cost, maxWaitMs };
    this.asking += 1;
    const decision = await this.store.ask((store) => store.limit(this.name, request));
    this.asking -= 1;
    if (turn.left) return;
    if (decision === undefined) {
      this.unanswered = true;
      this.refusal = undefined;
      const later = this.now();
      turn.local = this.takeOfShare(cost, Math.max(0, maxWaitMs - (later - now)), later);
      return turn.local?.ready;
    }
    this.learn(decision, cost, maxWaitMs, now);
    const { allowed, waitMs, retryAfterMs } = decision;
    if (!allowed) throw this.rejection('limit', retryAfterMs);
    if (waitMs > 0) await this.wait(turn, waitMs);
    if (!turn.left) this.announcer.admitted += 1;
  }

  /** @param asked when the store was asked; it decided later, so no wait is overestimated */
  private learn(
    { allowed, remaining, resetMs, retryAfterMs, otherRate }: LimitDecision,
    cost: number,
    maxWait: number,
    asked: number,
  ): void {
    this.known = { remaining, resetMs, at: this.now() };
    this.unanswered = false;
    if (otherRate) this.otherRates.met(this.known.at);
    // The store rounds up to whole milliseconds.
    const until = asked + retryAfterMs + maxWait - 1;
    this.refusal = allowed || until === Infinity ? undefined : { cost, until };
  }

  private async wait(turn: SharedTurn, ms: number): Promise<void> {
    const { clock } = this.environment;
    const began = clock.now();
    if (this.closed) throw this.rejection('closing');
    const rested = await new Promise<boolean>((resolve) => {
      const timer = outsideOfCalls(() => clock.setTimer(() => turn.wake(true), ms));
      turn.wake = (allowed) => {
        timer.cancel();
        this.waiting.delete(turn);
        resolve(allowed);
      };
      this.waiting.add(turn);
    });
    if (turn.left) return;
    if (!rested) throw this.rejection('closing');
    this.announcer.throttled(clock.now() - began);
  }

  private takeOfShare(cost: number, maxWait: number, now: number): Turn | undefined {
    if (this.instances !== this.store.instances) {
      this.instances = this.store.instances;
      this.share.reconfigure(this.rateOfShare());
    }
    // A cost that the whole limit allows must not become impossible because the store is away.
    return this.share.take(Math.min(cost, this.rateOfShare().burst), maxWait, now);
  }

  /** Whether the numbers to show are those of the share. */
  private get byShare(): boolean {
    return this.unanswered || !this.store.available;
  }

  private rateOfShare(): Rate {
    const { limit, perMs, burst } = this.rate;
    const { instances } = this;
    return { limit: limit / instances, perMs, burst: Math.max(1, burst / instances) };
  }

  private snapshotOfShare(): RateLimitSnapshot {
    const { limit, perMs, burst } = this.rate;
    const numbers = { limit, perMs, burst, ...this.calls() };
    return { ...this.share.snapshot(), scope: 'shared', ...numbers };
  }

  /** The calls of this instance: those decided by the store, and those of the share. */
  private calls(): Pick<RateLimitSnapshot, 'waiting' | 'admitted' | 'rejected'> {
    const { waiting, admitted, rejected } = this.share.snapshot();
    return {
      waiting: waiting + this.waiting.size,
      admitted: admitted + this.announcer.admitted,
      rejected: rejected + this.announcer.rejected,
    };
  }

  private remaining(resetMs: number): number {
    const { limit, perMs, burst } = this.rate;
    const since = Math.floor(burst - (resetMs * limit) / perMs);
    return Math.max(0, since, this.known?.remaining ?? 0);
  }

  private rejection(reason: RateLimitedReason, retryAfterMs?: number): RateLimitedError {
    return this.announcer.rejection(reason, this.quota(), retryAfterMs);
  }

  private now(): number {
    return this.environment.clock.now();
  }
}

/** The turn of a call that asks the store. */
class SharedTurn implements Turn {
  /** Whether the call has ended. */
  left = false;
  /** Its turn by this instance's share, when the store is away. */
  local: Turn | undefined = undefined;
  /** Ends its wait. @param allowed whether it may run */
  wake: (allowed: boolean) => void = () => {};
  readonly ready: Promise<void>;

  constructor(run: (turn: SharedTurn) => Promise<void>) {
    this.ready = run(this);
  }

  leave(): void {
    if (this.left) return;
    this.left = true;
    this.wake(false);
    this.local?.leave();
  }
}
