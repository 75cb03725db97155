import type { Clock } from '../../common/clock.js';
import { retryAfterOf } from '../../common/http-error.js';
import type { Outcome } from '../../common/outcome.js';
import type {
  BreakerCounts,
  BreakerOverride,
  BreakerState,
  OverrideKind,
  StateChangeEvent,
  StateChangeReason,
} from '../../telemetry/events.js';
import { type ResilienceEvents, notify } from '../../telemetry/resilience-events.js';
import { CircuitOpenError } from './circuit-open-error.js';
import type { BreakerSettings, OutcomeRule } from './options.js';
import { Permit, PermitQueue } from './permit.js';
import type { Window } from './windows.js';

/** Who overrides a breaker, why and until when. */
export interface OverrideOptions {
  readonly by?: string;
  readonly reason?: string;
  /** The override ends by itself at this time. Default: only by `release()`. */
  readonly until?: Date;
}

/** A breaker at one moment. */
export interface BreakerSnapshot {
  readonly name: string;
  readonly state: BreakerState;
  readonly override: BreakerOverride | undefined;
  readonly counts: BreakerCounts;
  /** Failures among the ended calls of the window, 0 to 1; 0 when there are none. */
  readonly failureRate: number;
  /** Slow calls among the ended calls of the window, 0 to 1; 0 when there are none. */
  readonly slowCallRate: number;
  /** Rises with each change of state and each reset. */
  readonly generation: number;
  /** How long it has been in this state, milliseconds. */
  readonly stateForMs: number;
  /** Open: milliseconds until probes are admitted. */
  readonly retryAfterMs: number | undefined;
  /** Admitted calls of this generation whose outcome is not known yet. */
  readonly running: number;
  /** Calls turned away since the start. */
  readonly rejected: number;
  /** Outcomes that came too late to count (of an older generation, or after `maxDuration`), since the start. */
  readonly stale: number;
}

interface BreakerEnvironment {
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: ResilienceEvents;
  warn(message: string): void;
}

interface ActiveOverride extends BreakerOverride {
  /** On the breaker's clock. */
  readonly endsAt: number;
}

/** Keeps `failures ≥ rate · calls` true at the edge, where floating point might not: 0.1 · 30 > 3. */
const EPSILON = 1e-9;

/** When `openFor` returns no usable time. */
const FALLBACK_OPEN_TIME = 5_000;

/**
 * Stops calls to a dependency that is failing, and finds out when it is well again.
 *
 * Closed, it counts; open, it rejects at once; half-open, it admits a few probes that decide. Everything that
 * time changes is worked out when the breaker is used or read, so it has no timers. Each change of state begins
 * a new generation: outcomes of calls that were admitted before are stale and change nothing.
 */
export class CircuitBreaker {
  private current: BreakerState = 'closed';
  private generation = 0;
  private since: number;
  private window: Window;
  private windowEndsAt: number;
  private consecutiveSuccesses = 0;
  private consecutiveFailures = 0;
  /** Times it has opened since it was last closed. */
  private openings = 0;
  private openTime: number | undefined = undefined;
  private opensUntil = 0;
  private probesRunning = 0;
  private probesSucceeded = 0;
  private running = 0;
  private rejected = 0;
  private stale = 0;
  private readonly expiring = new PermitQueue();
  private overridden: ActiveOverride | undefined = undefined;
  private readonly listeners = new Set<(change: StateChangeEvent) => void>();

  constructor(
    readonly name: string,
    private settings: BreakerSettings,
    private readonly environment: BreakerEnvironment,
  ) {
    const now = environment.clock.now();
    this.since = now;
    this.window = settings.window.create(now);
    this.windowEndsAt = now + settings.resetInterval;
  }

  /** The state that the breaker's own rules have led to; an {@link override} stands beside it. */
  get state(): BreakerState {
    this.update(this.clock.now());
    return this.current;
  }

  get override(): BreakerOverride | undefined {
    this.update(this.clock.now());
    if (this.overridden === undefined) return undefined;
    const { kind, by, reason, until } = this.overridden;
    return { kind, by, reason, until };
  }

  get counts(): BreakerCounts {
    const now = this.clock.now();
    this.update(now);
    return this.countsAt(now);
  }

  snapshot(): BreakerSnapshot {
    const now = this.clock.now();
    const { state, override, counts } = this;
    const ended = counts.successes + counts.failures;
    return {
      name: this.name,
      state,
      override,
      counts,
      failureRate: ended === 0 ? 0 : counts.failures / ended,
      slowCallRate: ended === 0 ? 0 : counts.slow / ended,
      generation: this.generation,
      stateForMs: now - this.since,
      retryAfterMs: state === 'open' ? Math.max(0, this.opensUntil - now) : undefined,
      running: this.running,
      rejected: this.rejected,
      stale: this.stale,
    };
  }

  /**
   * Runs `work` under this breaker.
   *
   * @throws {CircuitOpenError} when the circuit is open; otherwise what `work` throws
   */
  async execute<T>(work: () => T | Promise<T>): Promise<T> {
    const { classifier } = this.settings;
    const permit = this.acquire(this.clock.now());
    try {
      const result = await work();
      this.settle(permit, classifier.ofResult(result));
      return result;
    } catch (error) {
      this.settle(permit, classifier.ofError(error), error);
      throw error;
    }
  }

  /**
   * Admits a call that the caller runs and settles: each permit needs one call of `success()`, `failure()` or
   * `ignore()`.
   *
   * @returns `undefined` when the circuit is open
   */
  tryAcquire(): Permit | undefined {
    const now = this.clock.now();
    return this.admit(now) ?? this.reject(now);
  }

  /** @internal Like {@link tryAcquire}, at a known time, and throws the rejection. */
  acquire(now: number): Permit {
    const permit = this.admit(now);
    if (permit !== undefined) return permit;
    this.reject(now);
    throw new CircuitOpenError(this.name, this.retryAfter(now));
  }

  /** @internal */
  settle(permit: Permit, outcome: Outcome, error?: unknown, now = this.clock.now()): void {
    if (permit.settled) return;
    this.update(now); // may end the generation, or the wait for this permit
    if (permit.settled || permit.generation !== this.generation) {
      permit.settled = true;
      this.stale += 1;
      return;
    }
    this.takeBack(permit);
    if (outcome === 'ignored') this.window.ignore(now, permit.mark);
    else this.record(permit, outcome === 'failure', now, error);
  }

  /** Rejects every call, whatever the state. */
  forceOpen(options?: OverrideOptions): void {
    this.setOverride('forced-open', options);
  }

  /** Admits every call and never opens; counts all the same. */
  disable(options?: OverrideOptions): void {
    this.setOverride('disabled', options);
  }

  /** Admits every call; changes its state and tells of rejections as if it were in force. */
  observeOnly(options?: OverrideOptions): void {
    this.setOverride('observe-only', options);
  }

  /** Ends an override. */
  release(): void {
    if (this.overridden === undefined) return;
    this.overridden = undefined;
    this.emitOverride();
  }

  /** Begins anew: closed, nothing counted. An override stays. */
  reset(): void {
    const now = this.clock.now();
    this.update(now);
    this.openings = 0;
    this.openTime = undefined;
    this.enter('closed', 'reset', now);
  }

  /** @returns a function that ends the subscription */
  onStateChange(listener: (change: StateChangeEvent) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** @internal */
  get classifier(): OutcomeRule {
    return this.settings.classifier;
  }

  /** @internal Whether nothing would be lost with it. */
  get idle(): boolean {
    const { state, override, counts } = this;
    return (
      state === 'closed' &&
      override === undefined &&
      counts.requests === 0 &&
      this.running === 0 &&
      this.listeners.size === 0
    );
  }

  private get clock(): Clock {
    return this.environment.clock;
  }

  private admit(now: number): Permit | undefined {
    this.update(now);
    const { settings, overridden } = this;
    if (overridden?.kind === 'forced-open') return undefined;
    if (this.current === 'closed') return this.issue(now, false, settings.maxCallDuration);
    if (this.current === 'half-open' && this.probesRunning < this.probesWanted()) {
      this.probesRunning += 1;
      return this.issue(now, true, settings.maxProbeDuration);
    }
    if (overridden === undefined) return undefined;
    if (overridden.kind === 'observe-only') this.tellRejection(now, true);
    return this.issue(now, false, Infinity);
  }

  /** Never more probes than could still be needed to close. */
  private probesWanted(): number {
    const { maxProbes, successThreshold } = this.settings;
    return Math.min(maxProbes, successThreshold - this.probesSucceeded);
  }

  private issue(now: number, probe: boolean, maxDuration: number): Permit {
    const mark = this.window.admit(now);
    const permit = new Permit(this, this.generation, probe, now, now + maxDuration, mark);
    this.running += 1;
    if (maxDuration !== Infinity) this.expiring.add(permit);
    return permit;
  }

  private reject(now: number): undefined {
    this.rejected += 1;
    this.tellRejection(now, false);
  }

  private tellRejection(now: number, observed: boolean): void {
    const { events } = this.environment;
    if (!events.active) return;
    events.emit({
      type: 'rejected',
      name: this.name,
      policy: 'circuitBreaker',
      code: 'CIRCUIT_OPEN',
      retryAfterMs: this.retryAfter(now),
      ...(observed && { observed }),
    });
  }

  /** When another call may be admitted; unknown while forced open without an end. */
  private retryAfter(now: number): number | undefined {
    const { overridden } = this;
    if (overridden?.kind === 'forced-open') {
      return overridden.endsAt === Infinity ? undefined : overridden.endsAt - now;
    }
    if (this.current === 'open') return this.opensUntil - now;
    const probeEndsIn = (this.expiring.head?.expiresAt ?? now) - now;
    return Math.min(probeEndsIn, this.openTime ?? FALLBACK_OPEN_TIME);
  }

  private takeBack(permit: Permit): void {
    permit.settled = true;
    this.running -= 1;
    if (permit.expiresAt !== Infinity) this.expiring.remove(permit);
    if (permit.probe) this.probesRunning -= 1;
  }

  private record(permit: Permit, failed: boolean, now: number, error: unknown): void {
    const { slowCallDuration, slowCallRate, successThreshold } = this.settings;
    const slow = now - permit.admittedAt > slowCallDuration;
    this.window.record(now, permit.mark, failed, slow);
    if (failed) {
      this.consecutiveFailures += 1;
      this.consecutiveSuccesses = 0;
    } else {
      this.consecutiveSuccesses += 1;
      this.consecutiveFailures = 0;
    }
    if (permit.probe) {
      if (failed || (slow && slowCallRate !== undefined)) {
        this.open('probe-failed', now, error);
      } else if (++this.probesSucceeded >= successThreshold) {
        this.close(now);
      }
    } else if (this.current === 'closed' && this.overridden?.kind !== 'disabled') {
      const reason = this.reasonToOpen(failed, now);
      if (reason !== undefined) this.open(reason, now, error);
    }
  }

  private reasonToOpen(failed: boolean, now: number): StateChangeReason | undefined {
    const { failureRate, slowCallRate, consecutiveFailures, readyToTrip, minimumCalls } =
      this.settings;
    const totals = this.window.totals(now);
    if (failed) {
      if (
        consecutiveFailures !== undefined &&
        Math.min(this.consecutiveFailures, totals.failures) >= consecutiveFailures
      ) {
        return 'consecutive-failures';
      }
      if (readyToTrip !== undefined && this.ask(readyToTrip, now)) return 'ready-to-trip';
    }
    const ended = totals.successes + totals.failures;
    if (ended < minimumCalls) return undefined;
    if (failureRate !== undefined && totals.failures + EPSILON >= failureRate * ended) {
      return 'failure-rate';
    }
    if (slowCallRate !== undefined && totals.slow + EPSILON >= slowCallRate * ended) {
      return 'slow-call-rate';
    }
    return undefined;
  }

  private ask(readyToTrip: (counts: BreakerCounts) => boolean, now: number): boolean {
    try {
      return readyToTrip(this.countsAt(now));
    } catch (error) {
      this.environment.warn(`circuit "${this.name}": readyToTrip threw ${String(error)}`);
      return false;
    }
  }

  /** Streaks reach no further back than the window. */
  private countsAt(now: number): BreakerCounts {
    const { requests, successes, failures, ignored, slow } = this.window.totals(now);
    return {
      requests,
      successes,
      failures,
      ignored,
      slow,
      consecutiveSuccesses: Math.min(this.consecutiveSuccesses, successes),
      consecutiveFailures: Math.min(this.consecutiveFailures, failures),
    };
  }

  /** Everything that the passing of time changes. */
  private update(now: number): void {
    if (this.overridden !== undefined && now >= this.overridden.endsAt) this.release();
    this.expirePermits(now);
    if (this.current === 'open' && now >= this.opensUntil) {
      this.enter('half-open', 'open-time-elapsed', now);
    } else if (this.current === 'closed' && now > this.windowEndsAt) {
      this.beginGeneration(now);
    }
  }

  private expirePermits(now: number): void {
    for (;;) {
      const { head } = this.expiring;
      if (head === undefined || head.expiresAt > now) return;
      this.takeBack(head);
      if (head.probe) this.window.ignore(now, head.mark);
      else this.record(head, true, now, undefined);
    }
  }

  private open(reason: StateChangeReason, now: number, error: unknown): void {
    this.openings += 1;
    this.openTime = this.openTimeAfter(error);
    this.opensUntil = now + this.openTime;
    this.enter('open', reason, now);
  }

  private openTimeAfter(error: unknown): number {
    const { openFor, retryAfterCap } = this.settings;
    const { random, clock, warn } = this.environment;
    let time: number;
    try {
      time = openFor({ attempt: this.openings, error, previous: this.openTime, random });
    } catch (thrown) {
      warn(`circuit "${this.name}": openFor threw ${String(thrown)}`);
      time = NaN;
    }
    if (!(time >= 0)) time = FALLBACK_OPEN_TIME;
    const asked = retryAfterCap === 0 ? undefined : retryAfterOf(error, clock.wall());
    return asked === undefined ? time : Math.max(time, Math.min(asked, retryAfterCap));
  }

  private close(now: number): void {
    this.openings = 0;
    this.openTime = undefined;
    this.enter('closed', 'probes-succeeded', now);
  }

  private enter(to: BreakerState, reason: StateChangeReason, now: number): void {
    const from = this.current;
    const counts = this.countsAt(now);
    this.current = to;
    this.since = now;
    this.beginGeneration(now);
    if (from === to) return;
    const event = { type: 'state-change', name: this.name, from, to, reason, counts } as const;
    this.tell(event);
  }

  private beginGeneration(now: number): void {
    this.generation += 1;
    this.window.clear(now);
    this.windowEndsAt = now + this.settings.resetInterval;
    this.consecutiveSuccesses = 0;
    this.consecutiveFailures = 0;
    this.probesRunning = 0;
    this.probesSucceeded = 0;
    this.running = 0;
    this.expiring.clear();
  }

  private tell(change: StateChangeEvent): void {
    const onError = (error: unknown): void =>
      this.environment.warn(`circuit "${this.name}": a state listener threw ${String(error)}`);
    this.environment.events.emit(change);
    if (this.settings.onStateChange) notify(this.settings.onStateChange, change, onError);
    for (const listener of this.listeners) notify(listener, change, onError);
  }

  private setOverride(kind: OverrideKind, { by, reason, until }: OverrideOptions = {}): void {
    const { clock } = this;
    const now = clock.now();
    this.update(now);
    const endsAt = until === undefined ? Infinity : now + (until.getTime() - clock.wall());
    this.overridden = { kind, by, reason, until, endsAt };
    this.emitOverride();
  }

  private emitOverride(): void {
    const { events } = this.environment;
    if (events.active) events.emit({ type: 'override', name: this.name, override: this.override });
  }
}
