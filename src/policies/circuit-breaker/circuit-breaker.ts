import type {
  BreakerCounts,
  BreakerOverride,
  BreakerState,
  OverrideKind,
} from '../../telemetry/events.js';
import { Holding, heldAround, runHolding } from '../../pipeline/holding.js';
import { RollingMetrics } from '../../telemetry/metrics/metrics.js';
import type { StateChangeListener } from './announcer.js';
import { Circuit, UNKNOWN } from './circuit.js';
import { outcomeOfError, outcomeOfResult } from './judgement.js';
import type { BreakerSettings } from './options.js';
import { type OverrideOptions, overrideOf } from './override.js';
import type { Permit } from './permit.js';
import { type BreakerSnapshot, snapshotOf } from './snapshot.js';
import { Tally } from './tally.js';

/** A breaker that nobody has used for so long may be forgotten, milliseconds. */
const IDLE_AFTER = 300_000;

/** Stops calls to a dependency that is failing, and detects when it has recovered: a {@link Circuit}, for its users. */
export class CircuitBreaker extends Circuit {
  /** The state that the breaker's own rules have led to; an {@link override} stands beside it. */
  get state(): BreakerState {
    this.update(this.now());
    return this.current;
  }

  /** The operator's decision that is in force, if there is one. */
  get override(): BreakerOverride | undefined {
    this.update(this.now());
    return this.overridden?.shown;
  }

  /** The calls that its rules look at. */
  get counts(): BreakerCounts {
    const now = this.now();
    this.update(now);
    return this.tally.counts(now);
  }

  /** Everything that can be known of it, as it is now. */
  snapshot(): BreakerSnapshot {
    const now = this.now();
    this.update(now);
    const { name, current: state, settings, generation, running, rejected, stale } = this;
    return snapshotOf(settings, this.openTime.expected(settings), {
      name,
      state,
      override: this.overridden?.shown,
      counts: this.tally.counts(now),
      generation,
      ...this.times.at(state, now),
      retryAfterMs: state === 'open' ? this.opensUntil - now : undefined,
      running,
      rejected,
      stale,
      metrics: (this.recorded ?? new RollingMetrics(now)).snapshot(now),
    });
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
    let result: T;
    try {
      result = await (permit.probe ? runHolding(this.hold(permit), work) : work());
    } catch (error) {
      this.settle(permit, outcomeOfError(this.classifier, error), error);
      throw error;
    }
    this.settle(permit, outcomeOfResult(this.classifier, result));
    return result;
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
  clearOverride(): void {
    if (this.overridden !== undefined) this.endOverride();
  }

  /** Begins anew: closed, nothing counted. An override stays. */
  reset(): void {
    const now = this.now();
    this.update(now);
    this.openTime.reset();
    this.enter('closed', 'reset', now);
  }

  /** Has `listener` told of each change of the state. @returns a function that ends the subscription */
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

  /** @internal Whether nothing that matters would be lost with it: nobody uses it, and it holds nothing recent. */
  get idle(): boolean {
    const now = this.now();
    this.update(now);
    const { announcer, running, overridden, usedAt, current } = this;
    if (running > 0 || overridden !== undefined || announcer.hasListeners) return false;
    if (current !== 'closed') return now - Math.max(usedAt, this.opensUntil) > IDLE_AFTER;
    return now - usedAt > IDLE_AFTER || this.tally.totals(now).requests === 0;
  }

  private overrideWith(kind: OverrideKind, options: OverrideOptions = {}): void {
    this.update(this.now());
    this.overridden = overrideOf(kind, options, this.environment.clock);
    this.changesAt = UNKNOWN;
    this.announcer.overridden(this.overridden.shown);
  }

  /** Makes a probe known to the calls inside of it. */
  private hold(probe: Permit): Holding {
    return (probe.holding = new Holding(this, heldAround()));
  }
}
