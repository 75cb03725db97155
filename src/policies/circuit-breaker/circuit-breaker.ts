import { show } from '../../common/options-reader.js';
import type { Outcome, OutcomeRule } from '../../common/outcome.js';
import type {
  BreakerCounts,
  BreakerOverride,
  BreakerState,
  OverrideKind,
  StateChangeReason,
} from '../../telemetry/events.js';
import type { Blockade } from '../../pipeline/call.js';
import { eventOf } from '../../telemetry/metrics/event-of.js';
import { MetricEvent, RollingMetrics } from '../../telemetry/metrics/metrics.js';
import { Announcer, type StateChangeListener } from './announcer.js';
import { CircuitOpenError } from './circuit-open-error.js';
import type { BreakerEnvironment } from './environment.js';
import { OpenTime } from './open-time.js';
import type { BreakerSettings } from './options.js';
import { type Ending, Permit, PermitQueue } from './permit.js';
import type { BreakerSnapshot } from './snapshot.js';
import { Tally } from './tally.js';
import { reasonToOpen } from './trip-rule.js';

/** Who overrides a breaker, why and until when. */
export interface OverrideOptions {
  readonly by?: string;
  readonly reason?: string;
  /** The override ends by itself at this time. Default: only by `release()`. */
  readonly until?: Date;
}

interface ActiveOverride {
  readonly shown: BreakerOverride;
  /** On the breaker's clock. */
  readonly endsAt: number;
}

const UNKNOWN = -Infinity;

/** A window without time remembers for ever; counts of calls this long ago may be forgotten, milliseconds. */
const IDLE_AFTER = 300_000;

/**
 * Stops calls to a dependency that is failing, and finds out when it is well again.
 *
 * Closed, it counts; open, it rejects at once; half-open, it admits a few probes that decide. Everything that
 * time changes is worked out when the breaker is used or read, so it has no timers. Each change of state begins
 * a new generation: outcomes of calls that were admitted before are stale and change nothing.
 */
export class CircuitBreaker {
  private current: BreakerState = 'closed';
  private since: number;
  private usedAt: number;
  private generation = 0;
  private tally: Tally;
  private readonly openTime: OpenTime;
  /** Closed: when `resetInterval` is over. */
  private windowEndsAt: number;
  /** Open: when probes are admitted. */
  private opensUntil = 0;
  /** No time before this one changes anything; unknown after something else has. */
  private changesAt = UNKNOWN;
  private probesRunning = 0;
  private probesSucceeded = 0;
  private running = 0;
  private rejected = 0;
  private stale = 0;
  /** Of all generations: what hangs is counted, though it may decide nothing any more. */
  private readonly expiring = new PermitQueue();
  private readonly expiringProbes = new PermitQueue();
  private overridden: ActiveOverride | undefined = undefined;
  private readonly announcer: Announcer;
  private readonly timeInStateMs: Record<BreakerState, number> = {
    closed: 0,
    open: 0,
    'half-open': 0,
  };
  /** @internal Counts every call, whatever the state and its generation. */
  readonly metrics: RollingMetrics;

  /** @internal */
  constructor(
    readonly name: string,
    private settings: BreakerSettings,
    private readonly environment: BreakerEnvironment,
  ) {
    const now = this.now();
    this.since = now;
    this.usedAt = now;
    this.tally = new Tally(settings.window.create(now));
    this.openTime = new OpenTime(environment);
    this.announcer = new Announcer(name, environment);
    this.metrics = new RollingMetrics(now);
    this.windowEndsAt = now + settings.resetInterval;
  }

  /** The state that the breaker's own rules have led to; an {@link override} stands beside it. */
  get state(): BreakerState {
    this.update(this.now());
    return this.current;
  }

  get override(): BreakerOverride | undefined {
    this.update(this.now());
    return this.overridden?.shown;
  }

  get counts(): BreakerCounts {
    const now = this.now();
    this.update(now);
    return this.tally.counts(now);
  }

  snapshot(): BreakerSnapshot {
    const now = this.now();
    this.update(now);
    const { current: state, settings, timeInStateMs } = this;
    const counts = this.tally.counts(now);
    const ended = counts.successes + counts.failures;
    const stateForMs = now - this.since;
    return {
      name: this.name,
      state,
      override: this.overridden?.shown,
      counts,
      failureRate: ended === 0 ? 0 : counts.failures / ended,
      slowCallRate: ended === 0 ? 0 : counts.slow / ended,
      generation: this.generation,
      stateForMs,
      timeInStateMs: { ...timeInStateMs, [state]: timeInStateMs[state] + stateForMs },
      retryAfterMs: state === 'open' ? this.opensUntil - now : undefined,
      running: this.running,
      rejected: this.rejected,
      stale: this.stale,
      limits: {
        minimumCalls: settings.minimumCalls,
        failureRate: settings.failureRate,
        consecutiveFailures: settings.consecutiveFailures,
        openForMs: this.openTime.expected(settings),
      },
      metrics: this.metrics.snapshot(now),
    };
  }

  /**
   * Runs `work` under this breaker.
   *
   * @throws {CircuitOpenError} when the circuit is open; otherwise what `work` throws
   */
  async execute<T>(work: () => T | Promise<T>): Promise<T> {
    const now = this.now();
    const permit = this.admit(now);
    if (permit === undefined) throw this.reject(now);
    try {
      const result = await work();
      this.settle(permit, this.classifier.ofResult(result));
      return result;
    } catch (error) {
      this.settle(permit, this.classifier.ofError(error), error);
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
    const now = this.now();
    const permit = this.admit(now);
    if (permit === undefined) this.countRejection(now);
    return permit;
  }

  /** Rejects every call, whatever the state. */
  forceOpen(options?: OverrideOptions): void {
    this.overrideWith('forced-open', options);
  }

  /** Admits every call and never opens; counts all the same. */
  disable(options?: OverrideOptions): void {
    this.overrideWith('disabled', options);
  }

  /** Admits every call; changes its state and tells of rejections as if it were in force. */
  observeOnly(options?: OverrideOptions): void {
    this.overrideWith('observe-only', options);
  }

  /** Ends an override. */
  release(): void {
    if (this.overridden === undefined) return;
    this.overridden = undefined;
    this.changesAt = UNKNOWN;
    this.announcer.override(undefined);
  }

  /** Begins anew: closed, nothing counted. An override stays. */
  reset(): void {
    const now = this.now();
    this.update(now);
    this.openTime.reset();
    this.enter('closed', 'reset', now);
  }

  /** @returns a function that ends the subscription */
  onStateChange(listener: StateChangeListener): () => void {
    return this.announcer.subscribe(listener);
  }

  /**
   * Other rules from now on. The state stays, and when it ends; counts stay unless the window is another one, which
   * starts empty.
   *
   * @internal
   */
  reconfigure(settings: BreakerSettings): void {
    const now = this.now();
    this.update(now);
    const sameWindow = settings.window.id === this.settings.window.id;
    this.settings = settings;
    this.changesAt = UNKNOWN;
    if (sameWindow) {
      this.windowEndsAt = Math.min(this.windowEndsAt, now + settings.resetInterval);
    } else {
      this.tally = new Tally(settings.window.create(now));
      this.beginGeneration(now);
    }
  }

  /** @internal How outcomes are decided. */
  get classifier(): OutcomeRule {
    return this.settings.classifier;
  }

  /** @internal Until when, as things are, calls are turned away. */
  get blockade(): Blockade | undefined {
    const { overridden } = this;
    const forced = overridden?.shown.kind === 'forced-open';
    if (!forced && (this.current !== 'open' || overridden !== undefined)) return undefined;
    const until = forced ? overridden.endsAt : this.opensUntil;
    return { until, rejection: new CircuitOpenError(this.name, this.retryAfter(this.now())) };
  }

  /** @internal Whether nothing that matters would be lost with it: nobody uses it, and it holds nothing recent. */
  get idle(): boolean {
    const { state, override, counts, running, announcer } = this;
    if (state !== 'closed' || override !== undefined || running > 0) return false;
    if (announcer.hasListeners) return false;
    return counts.requests === 0 || this.now() - this.usedAt > IDLE_AFTER;
  }

  /** @internal A permit, at a known time; `undefined` when the call is to be turned away. */
  admit(now: number): Permit | undefined {
    this.update(now);
    return this.current === 'closed' && this.overridden === undefined
      ? this.issue(now, false, this.settings.maxCallDuration)
      : this.admitSome(now);
  }

  /** @internal Counts a call that is turned away. @returns what to turn it away with */
  reject(now: number): CircuitOpenError {
    this.countRejection(now);
    return new CircuitOpenError(this.name, this.retryAfter(now));
  }

  /** @internal */
  settle(
    permit: Permit,
    outcome: Outcome,
    error?: unknown,
    now = this.now(),
    ending: Ending = 'seen',
  ): void {
    if (permit.settled) return;
    permit.settled = true;
    this.update(now); // may end the generation, or the wait for this permit
    if (permit.expired) {
      this.stale += 1;
      return;
    }
    this.takeBack(permit);
    const { metrics } = this;
    metrics.end(measured(outcome, error, ending), now);
    if (ending === 'seen') metrics.latency(now - permit.admittedAt, now);
    if (permit.generation !== this.generation) {
      this.stale += 1;
      return;
    }
    if (outcome === 'ignored') this.tally.ignore(now, permit.mark);
    else this.record(permit, outcome === 'failure', now, error);
  }

  private now(): number {
    return this.environment.clock.now();
  }

  private admitSome(now: number): Permit | undefined {
    const { maxCallDuration, maxProbeDuration } = this.settings;
    const override = this.overridden?.shown.kind;
    if (override === 'forced-open') return undefined;
    if (this.current === 'closed') return this.issue(now, false, maxCallDuration);
    if (this.current === 'half-open' && this.probesRunning < this.probesWanted()) {
      this.probesRunning += 1;
      return this.issue(now, true, maxProbeDuration);
    }
    if (override === undefined) return undefined;
    if (override === 'observe-only') this.tellRejection(now, true);
    return this.issue(now, false, Infinity);
  }

  /** Never more probes than could still be needed to close; one at least, though the rules may have changed. */
  private probesWanted(): number {
    const { maxProbes, successThreshold } = this.settings;
    return Math.min(maxProbes, Math.max(1, successThreshold - this.probesSucceeded));
  }

  private issue(now: number, probe: boolean, maxDuration: number): Permit {
    const mark = this.tally.admit(now);
    const permit = new Permit(this, this.generation, probe, now, now + maxDuration, mark);
    this.usedAt = now;
    this.running += 1;
    this.metrics.begin(now);
    if (maxDuration !== Infinity) {
      this.queueOf(permit).add(permit);
      if (permit.expiresAt < this.changesAt) this.changesAt = permit.expiresAt;
    }
    return permit;
  }

  private takeBack(permit: Permit): void {
    if (permit.expiresAt !== Infinity) this.queueOf(permit).remove(permit);
    if (permit.generation !== this.generation) return;
    this.running -= 1;
    if (permit.probe) this.probesRunning -= 1;
  }

  private queueOf({ probe }: Permit): PermitQueue {
    return probe ? this.expiringProbes : this.expiring;
  }

  private record(permit: Permit, failed: boolean, now: number, error: unknown): void {
    const slow = now - permit.admittedAt > this.settings.slowCallDuration;
    this.tally.record(now, permit.mark, failed, slow);
    if (permit.probe) {
      this.judgeProbe(failed || (slow && this.settings.slowCallRate !== undefined), now, error);
    } else if (this.current === 'closed') {
      const reason = this.reasonToOpen(failed, now);
      if (reason !== undefined) this.open(reason, now, error);
    }
  }

  private judgeProbe(bad: boolean, now: number, error: unknown): void {
    if (bad) return this.open('probe-failed', now, error);
    this.probesSucceeded += 1;
    if (this.probesSucceeded < this.settings.successThreshold) return;
    this.openTime.reset();
    this.enter('closed', 'probes-succeeded', now);
  }

  private reasonToOpen(failed: boolean, now: number): StateChangeReason | undefined {
    try {
      return reasonToOpen(this.settings, this.tally, failed, now);
    } catch (error) {
      this.environment.warn(`circuit "${this.name}": readyToTrip threw ${show(error)}`);
      return undefined;
    }
  }

  private open(reason: StateChangeReason, now: number, error: unknown): void {
    if (this.overridden?.shown.kind === 'disabled') return;
    this.opensUntil = now + this.openTime.next(error, this.settings);
    this.enter('open', reason, now);
  }

  /** Everything that the passing of time changes. */
  private update(now: number): void {
    if (now >= this.changesAt) this.catchUp(now);
  }

  private catchUp(now: number): void {
    if (this.overridden !== undefined && now >= this.overridden.endsAt) this.release();
    this.expire(this.expiring, now);
    this.expire(this.expiringProbes, now);
    if (this.current === 'open' && now >= this.opensUntil) {
      this.enter('half-open', 'open-time-elapsed', now);
    } else if (this.current === 'closed' && now > this.windowEndsAt) {
      this.beginGeneration(now);
    }
    this.changesAt = Math.min(
      this.overridden?.endsAt ?? Infinity,
      this.expiring.head?.expiresAt ?? Infinity,
      this.expiringProbes.head?.expiresAt ?? Infinity,
      this.current === 'open' ? this.opensUntil : Infinity,
      this.current === 'closed' ? this.windowEndsAt : Infinity,
    );
  }

  /** A call that hangs has failed; a probe that hangs only gives its place to another. */
  private expire(queue: PermitQueue, now: number): void {
    for (;;) {
      const { head } = queue;
      if (head === undefined || head.expiresAt > now) return;
      head.expired = true;
      this.takeBack(head);
      this.metrics.end(MetricEvent.timeout, now);
      this.metrics.latency(now - head.admittedAt, now);
      if (head.generation !== this.generation) continue;
      if (head.probe) this.tally.ignore(now, head.mark);
      else this.record(head, true, now, undefined);
    }
  }

  private enter(to: BreakerState, reason: StateChangeReason, now: number): void {
    const from = this.current;
    const counts = this.tally.counts(now);
    this.timeInStateMs[from] += now - this.since;
    this.current = to;
    this.since = now;
    this.beginGeneration(now);
    if (from === to) return;
    const change = { type: 'state-change', name: this.name, from, to, reason, counts } as const;
    this.announcer.stateChange(change, this.settings.onStateChange);
  }

  private beginGeneration(now: number): void {
    this.generation += 1;
    this.changesAt = UNKNOWN;
    this.tally.clear(now);
    this.windowEndsAt = now + this.settings.resetInterval;
    this.probesRunning = 0;
    this.probesSucceeded = 0;
    this.running = 0;
  }

  private countRejection(now: number): void {
    this.rejected += 1;
    this.metrics.count(MetricEvent.circuitOpen, now);
    this.tellRejection(now, false);
  }

  private tellRejection(now: number, observed: boolean): void {
    this.announcer.rejection(() => this.retryAfter(now), observed);
  }

  /** When another call may be admitted; unknown while forced open without an end. */
  private retryAfter(now: number): number | undefined {
    if (this.overridden?.shown.kind === 'forced-open') {
      const { endsAt } = this.overridden;
      return endsAt === Infinity ? undefined : endsAt - now;
    }
    if (this.current === 'open') return this.opensUntil - now;
    const probeEndsAt = this.expiringProbes.head?.expiresAt ?? now;
    return Math.min(probeEndsAt - now, this.openTime.current);
  }

  private overrideWith(kind: OverrideKind, { by, reason, until }: OverrideOptions = {}): void {
    const now = this.now();
    this.update(now);
    if (until !== undefined && Number.isNaN(Number(until instanceof Date ? until : NaN))) {
      throw new TypeError(`until is ${show(until)}; use a Date`);
    }
    const left = until === undefined ? Infinity : until.getTime() - this.environment.clock.wall();
    this.overridden = { shown: { kind, by, reason, until }, endsAt: now + left };
    this.changesAt = UNKNOWN;
    this.announcer.override(this.overridden.shown);
  }
}

/** What metrics count an admitted call as. */
function measured(outcome: Outcome, error: unknown, ending: Ending): MetricEvent {
  if (ending === 'turned-away') return MetricEvent.bulkheadFull; // nothing else inside turns away
  return ending === 'unseen' ? MetricEvent.ignored : eventOf(outcome, error);
}
