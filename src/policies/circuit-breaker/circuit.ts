import type { Outcome, OutcomeRule } from '../../common/outcomes/outcome.js';
import type { BreakerState, StateChangeReason } from '../../telemetry/events.js';
import { isInside } from '../../pipeline/holding.js';
import { MetricEvent, RollingMetrics } from '../../telemetry/metrics/metrics.js';
import { Announcer } from './announcer.js';
import { CallTotals } from './call-totals.js';
import type { BreakerEnvironment } from './environment.js';
import { isSlow, measured } from './judgement.js';
import { Leases } from './leases.js';
import { OpenTime } from './open-time.js';
import type { BreakerSettings } from './options.js';
import { type ActiveOverride, timeLeft } from './override.js';
import { type Ending, Permit, travelling } from './permit.js';
import type { Blockade } from '../../pipeline/call-state.js';
import { Probes } from './probes.js';
import { StateTimes } from './state-times.js';
import { reasonToOpen } from './trip-rule.js';
import type { Window } from './windows.js';

/** Earlier than any time: the time of the next change has yet to be determined. */
export const UNKNOWN = -Infinity;

/**
 * The states of a breaker, and the transitions between them. Closed, it counts; open, it rejects at once; half-open, it admits
 * a few probes that decide. Time-driven changes are applied when the breaker is used or read, so it has no timers.
 * A new generation begins with each change of state, each reset and each end of a `resetInterval`. Outcomes of calls that
 * were admitted before are stale: they change nothing.
 */
export abstract class Circuit {
  protected current: BreakerState = 'closed';
  protected readonly times: StateTimes;
  protected usedAt: number;
  protected generation = 0;
  protected window: Window;
  protected readonly openTime: OpenTime;
  /** Closed: the end of `resetInterval`. */
  protected windowEndsAt: number;
  /** Open: when it becomes half-open. */
  protected opensUntil = 0;
  /** No time-driven change is due before this time; {@link UNKNOWN} when it has to be determined. */
  protected changesAt = UNKNOWN;
  protected running = 0;
  /** @internal */
  protected readonly calls = new CallTotals();
  /** Of all generations: a hanging call is counted even if it can no longer have an effect. */
  private readonly leases = new Leases();
  /** @internal Made when the circuit is first half-open. */
  protected probes: Probes | undefined = undefined;
  protected overridden: ActiveOverride | undefined = undefined;
  protected readonly announcer: Announcer;
  /** Made at the first call. */
  protected recorded: RollingMetrics | undefined = undefined;

  /** @internal */
  constructor(
    /** The name in the registry. */
    readonly name: string,
    protected settings: BreakerSettings,
    protected readonly environment: BreakerEnvironment,
  ) {
    const now = this.now();
    this.times = new StateTimes(now);
    this.usedAt = now;
    this.window = settings.window.create(now);
    this.openTime = new OpenTime(name, environment);
    this.announcer = new Announcer(name, environment);
    this.windowEndsAt = now + settings.resetInterval;
  }

  /** @internal How outcomes are decided. */
  get classifier(): OutcomeRule {
    return this.settings.classifier;
  }

  /** @internal Metrics of all calls, whatever the state and the generation. */
  get metrics(): RollingMetrics {
    return (this.recorded ??= new RollingMetrics(this.now()));
  }

  /** @internal Until when calls will be rejected; `undefined` unless the circuit is open or forced open. */
  abstract get blockade(): Blockade | undefined;

  /** @internal Admits a call at a known time; `undefined` when it has to be rejected. */
  admit(now: number): Permit | undefined {
    this.update(now);
    this.usedAt = now;
    return this.current === 'closed' && this.overridden === undefined
      ? this.issue(now, false, this.settings.maxCallDuration)
      : this.admitSome(now);
  }

  /** @internal Takes a permit back. Does nothing if it has been settled already. */
  settle(permit: Permit, outcome: Outcome, error: unknown, now: number, ending: Ending): void {
    if (permit.settled) return;
    permit.settled = true;
    this.update(now); // may end the generation, or the wait for this permit
    this.usedAt = now;
    if (permit.expired) {
      this.calls.stale += 1;
      return;
    }
    const decides = this.takeBack(permit);
    const event = measured(outcome, error, ending);
    if (ending === 'seen') this.recorded!.complete(event, now - permit.admittedAt, now);
    else this.recorded!.end(event, now);
    if (!decides) this.calls.stale += 1;
    else if (outcome !== 'ignored') this.record(permit, outcome === 'failure', now, error);
    else {
      this.window.ignore(now, permit.mark);
      if (permit.probe) this.voidProbe(permit);
    }
  }

  /** @internal */
  now(): number {
    return this.environment.clock.now();
  }

  private admitSome(now: number): Permit | undefined {
    const override = this.overridden?.shown.kind;
    if (override === 'forced-open') return undefined;
    if (this.current === 'closed') return this.issue(now, false, this.settings.maxCallDuration);
    if (this.current === 'half-open') {
      if (isInside(this)) return travelling(this, this.generation, now);
      const probe = this.probe(now);
      if (probe !== undefined) return probe;
    }
    if (override === undefined) return undefined;
    if (override === 'observe-only') this.announceRejection(now, true);
    return this.issue(now, false, Infinity);
  }

  /** Admits a probe if there is a place. */
  protected probe(now: number): Permit | undefined {
    const { settings } = this;
    const reserved = (this.probes ??= new Probes()).reserve(settings);
    return reserved ? this.issue(now, true, settings.maxProbeDuration) : undefined;
  }

  protected issue(now: number, probe: boolean, maxDuration: number): Permit {
    const mark = this.window.admit(now);
    const permit = new Permit(this, this.generation, probe, now, mark);
    this.running += 1;
    this.metrics.begin(now);
    if (maxDuration !== Infinity) this.lease(permit, now, maxDuration);
    return permit;
  }

  /** Sets a time limit: if the permit has not been settled by then, its call has failed. */
  private lease(permit: Permit, now: number, duration: number): void {
    (permit.probe ? this.probes!.leases : this.leases).add(permit, duration);
    const expiresAt = now + duration;
    if (expiresAt < this.changesAt) this.changesAt = expiresAt;
    this.environment.pulse?.watch(expiresAt);
  }

  /** @returns whether its outcome has an effect: whether it is of the current generation */
  private takeBack(permit: Permit): boolean {
    const decides = permit.generation === this.generation;
    permit.queue?.remove(permit);
    if (decides) this.running -= 1;
    if (!permit.probe) return decides;
    permit.holding?.end();
    if (decides) this.probes!.end();
    else this.voidProbe(permit);
    return decides;
  }

  /** @internal The outcome of a probe decides nothing. */
  protected voidProbe(_probe: Permit): void {}

  private record(permit: Permit, failed: boolean, now: number, error: unknown): void {
    const { window, settings } = this;
    const slow = this.calls.judge(isSlow(permit, now, settings, this.environment.pulse));
    const counts = window.record(now, permit.mark, failed, slow);
    const bad = failed || (slow && settings.slowCallRate !== undefined);
    if (permit.probe) this.judgeProbe(permit, bad, now, error);
    else if (counts && (failed || settings.readyToTrip !== undefined || !window.flawless)) {
      this.judge(failed, now, error);
    }
  }

  /** Opens the circuit if it is closed and there is a reason. */
  private judge(failed: boolean, now: number, error: unknown): void {
    if (this.current !== 'closed') return;
    const { settings, window, generation, name, environment } = this;
    const reason = reasonToOpen(settings, window, failed, now, name, environment);
    // `readyToTrip` may have used the breaker.
    if (reason !== undefined && generation === this.generation) this.open(reason, now, error);
  }

  protected judgeProbe(_probe: Permit, bad: boolean, now: number, error: unknown): void {
    if (bad) return this.open('probe-failed', now, error);
    if (!this.probes!.succeed(this.settings)) return;
    this.openTime.reset();
    this.enter('closed', 'probes-succeeded', now);
  }

  protected open(reason: StateChangeReason, now: number, error: unknown): void {
    if (this.overridden?.shown.kind === 'disabled') return;
    const { generation } = this;
    const until = now + this.openTime.next(error, this.settings);
    if (generation !== this.generation) return; // `openFor` has used the breaker
    this.opensUntil = until;
    this.enter('open', reason, now);
  }

  /** Applies all changes that are due. */
  protected update(now: number): void {
    if (now >= this.changesAt) this.catchUp(now);
  }

  private catchUp(now: number): void {
    const missed = this.environment.pulse?.missed(now) ?? Infinity;
    while (this.passes(now, missed));
    if (this.current === 'closed' && now > this.windowEndsAt) this.beginGeneration(now);
    this.changesAt = Math.min(
      this.overridden?.endsAt ?? Infinity,
      this.leases.nextExpiry,
      this.probes?.leases.nextExpiry ?? Infinity,
      this.current === 'open' ? this.opensUntil : Infinity,
      this.current === 'closed' ? this.windowEndsAt : Infinity,
    );
  }

  /**
   * Applies the earliest change that is due: there may be several, if the breaker has not been used for long.
   *
   * @param missed leases that end after this are not judged yet: their answers may have arrived in time, but not been read
   * @returns whether there was a change
   */
  private passes(now: number, missed: number): boolean {
    const overrideEnds = this.overridden?.endsAt ?? Infinity;
    const callEnds = this.leases.nextExpiryUpTo(missed);
    const probeEnds = this.probes?.leases.nextExpiryUpTo(missed) ?? Infinity;
    const openEnds = this.current === 'open' ? this.opensUntil : Infinity;
    const at = Math.min(overrideEnds, callEnds, probeEnds, openEnds);
    if (at > now || at === Infinity) return false;
    if (at === overrideEnds) this.endOverride();
    else if (at === callEnds) this.expire(this.leases.first!, now, now);
    else if (at === probeEnds) this.expire(this.probes!.leases.first!, now, at);
    else this.enter('half-open', 'open-time-elapsed', now);
    return true;
  }

  /** Judges a hanging call or probe as failed. @param failedAt when the circuit opens, if it opens because of this */
  private expire(permit: Permit, now: number, failedAt: number): void {
    permit.expired = true;
    const decides = this.takeBack(permit);
    this.metrics.complete(MetricEvent.timeout, now - permit.admittedAt, now);
    if (decides) this.record(permit, true, failedAt, undefined);
  }

  protected endOverride(): void {
    this.overridden = undefined;
    this.changesAt = UNKNOWN;
    this.announceOverride();
  }

  protected announceOverride(pending = false): void {
    this.announcer.overridden(this.overridden?.shown, pending);
  }

  protected enter(to: BreakerState, reason: StateChangeReason, now: number): void {
    const from = this.current;
    const counts = this.window.counts(now);
    this.times.leave(from, now);
    this.current = to;
    this.beginGeneration(now);
    if (from === to) return;
    const change = { type: 'state-change', name: this.name, from, to, reason, counts } as const;
    this.announcer.stateChanged(change, this.settings.onStateChange);
  }

  protected beginGeneration(now: number): void {
    this.generation += 1;
    this.changesAt = UNKNOWN;
    this.window.clear(now);
    this.windowEndsAt = now + this.settings.resetInterval;
    this.probes?.clear();
    this.running = 0;
  }

  protected countRejection(now: number): void {
    this.calls.rejected += 1;
    this.metrics.count(MetricEvent.circuitOpen, now);
    this.announceRejection(now, false);
  }

  private announceRejection(now: number, observed: boolean): void {
    if (this.announcer.countRejection()) this.announcer.rejected(this.retryAfter(now), observed);
  }

  /** Milliseconds until another call may be admitted; `undefined` while forced open without an end. */
  protected retryAfter(now: number): number | undefined {
    if (this.overridden?.shown.kind === 'forced-open') return timeLeft(this.overridden, now);
    if (this.current === 'open') return this.opensUntil - now;
    return Math.min(this.probes?.wait(this.generation, now) ?? 0, this.openTime.current);
  }
}
