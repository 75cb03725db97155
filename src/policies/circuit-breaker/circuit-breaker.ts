import { requireFunction } from '../../common/given.js';
import type {
  BreakerCounts,
  BreakerOverride,
  BreakerState,
  OverrideKind,
} from '../../telemetry/events.js';
import type { Blockade } from '../../pipeline/call-state.js';
import { Holding, heldAround, runHolding } from '../../pipeline/holding.js';
import { RollingMetrics } from '../../telemetry/metrics/metrics.js';
import type { StateChangeListener } from './announcer.js';
import { CircuitOpenError } from './circuit-open-error.js';
import { Circuit, UNKNOWN } from './circuit.js';
import { outcomeOfError, outcomeOfResult } from './judgement.js';
import type { BreakerSettings } from './options.js';
import { type OverrideOptions, overrideOf } from './override.js';
import type { Permit } from './permit.js';
import { type BreakerReading, type BreakerSnapshot, ratesOf, snapshotOf } from './snapshot.js';

/** A breaker that has not been used for longer is idle, milliseconds. */
const IDLE_AFTER = 300_000;

/** Stops calls to a dependency that is failing, and detects when it has recovered. The public side of a {@link Circuit}. */
export class CircuitBreaker extends Circuit {
  /** The state by the breaker's own rules; an {@link override} takes precedence over it. */
  get state(): BreakerState {
    this.update(this.now());
    return this.current;
  }

  /** The operator's override in force, if there is one. */
  get override(): BreakerOverride | undefined {
    this.update(this.now());
    return this.overridden?.shown;
  }

  /** Whether the application is useless without the dependency, by the option `critical`. */
  get critical(): boolean {
    return this.settings.critical;
  }

  /** The counts by which it decides: those of its window, or since it became half-open. */
  get counts(): BreakerCounts {
    const now = this.now();
    this.update(now);
    return this.window.counts(now);
  }

  /** State, counts, limits and metrics at this moment. */
  snapshot(): BreakerSnapshot {
    const now = this.now();
    this.update(now);
    const { name, current: state, settings, generation, running, calls } = this;
    return snapshotOf(settings, this.openTime.expected(settings), {
      name,
      state,
      override: this.overridden?.shown,
      counts: this.window.counts(now),
      generation,
      ...this.times.at(state, now),
      retryAfterMs: state === 'open' ? this.opensUntil - now : undefined,
      running,
      rejected: calls.rejected,
      stale: calls.stale,
      metrics: (this.recorded ?? new RollingMetrics(now)).snapshot(now),
    });
  }

  /** @internal */
  get blockade(): Blockade | undefined {
    const { overridden } = this;
    const forced = overridden?.shown.kind === 'forced-open';
    if (!forced && (this.current !== 'open' || overridden !== undefined)) return undefined;
    const until = forced ? overridden.endsAt : this.opensUntil;
    return { until, rejection: new CircuitOpenError(this.name, this.retryAfter(this.now())) };
  }

  /** @internal A part of the snapshot that takes little time, for readers of very many breakers. */
  reading(): BreakerReading {
    const now = this.now();
    this.update(now);
    const { current: state, overridden } = this;
    const { judged, slow } = this.calls;
    const { timeInStateMs } = this.times.at(state, now);
    const rates = ratesOf(this.window.counts(now));
    return { state, override: overridden?.shown, timeInStateMs, judged, slow, ...rates };
  }

  /**
   * Runs `work` under this breaker.
   *
   * @throws {CircuitOpenError} when the circuit is open; otherwise what `work` throws
   * @throws {TypeError} when `work` is not a function
   */
  async execute<T>(work: () => T | Promise<T>): Promise<T> {
    requireFunction('execute()', 'the work', work);
    const now = this.now();
    const permit = this.admit(now);
    if (permit === undefined) throw this.reject(now);
    return this.run(permit, work);
  }

  protected async run<T>(permit: Permit, work: () => T | Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await (permit.probe ? runHolding(this.hold(permit), work) : work());
    } catch (error) {
      this.settle(permit, outcomeOfError(this.classifier, error), error, this.now(), 'seen');
      throw error;
    }
    this.settle(permit, outcomeOfResult(this.classifier, result), undefined, this.now(), 'seen');
    return result;
  }

  /**
   * Admits a call that you run yourself: each permit needs one call of `success()`, `failure()` or `ignore()`.
   *
   * @returns `undefined` when the call is rejected
   */
  tryAcquire(): Permit | undefined {
    const now = this.now();
    const permit = this.admit(now);
    if (permit === undefined) this.countRejection(now);
    return permit;
  }

  /** Rejects every call from now on, whatever the state. @throws {TypeError} when an option is wrong */
  forceOpen(options?: OverrideOptions): void {
    this.overrideWith('forced-open', options);
  }

  /** Admits every call from now on and never opens, but still counts. @throws {TypeError} when an option is wrong */
  disable(options?: OverrideOptions): void {
    this.overrideWith('disabled', options);
  }

  /**
   * Admits every call from now on, but changes its state and emits `rejected` events as if it rejected them.
   *
   * @throws {TypeError} when an option is wrong
   */
  observeOnly(options?: OverrideOptions): void {
    this.overrideWith('observe-only', options);
  }

  /** Ends the override, if there is one. */
  clearOverride(): void {
    if (this.overridden !== undefined) this.endOverride();
  }

  /**
   * Starts over: closed, with empty counts. An override stays. Calls and probes that are running no longer decide anything:
   * their outcomes are `stale`, and appear in `metrics`.
   */
  reset(): void {
    const now = this.now();
    this.update(now);
    this.openTime.reset();
    this.enter('closed', 'reset', now);
  }

  /**
   * Calls `listener` with each change of the state.
   *
   * @returns a function that ends the subscription
   * @throws {TypeError} when the listener is not a function
   */
  onStateChange(listener: StateChangeListener): () => void {
    requireFunction('onStateChange()', 'the listener', listener);
    return this.announcer.subscribe(listener);
  }

  /**
   * Changes the settings. The state stays, and so do the time at which it ends, the generation and the override. The
   * counts stay unless the window changes: then a window of calls takes over the newest calls of another one, and any other
   * window starts empty. Running calls count in the window in which they end.
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
      const window = settings.window.create(now);
      window.succeed(this.window, this.running, now);
      this.window = window;
      this.windowEndsAt = now + settings.resetInterval;
    }
  }

  /** @internal Whether it can be discarded: it is not in use, and holds nothing recent. */
  get idle(): boolean {
    const now = this.now();
    this.update(now);
    const { announcer, running, overridden, usedAt, current } = this;
    if (running > 0 || overridden !== undefined || announcer.hasListeners) return false;
    if (current !== 'closed') return this.isLeftAlone(now);
    return now - usedAt > IDLE_AFTER || this.window.totals(now).requests === 0;
  }

  /** @internal Whether it is half-open only for lack of calls: the next call is its probe. */
  get lacksCalls(): boolean {
    const now = this.now();
    this.update(now);
    return this.current === 'half-open' && this.running === 0 && this.isLeftAlone(now);
  }

  /** Whether it has not been used for a while, although it would have admitted a probe. */
  private isLeftAlone(now: number): boolean {
    return now - Math.max(this.usedAt, this.opensUntil) > IDLE_AFTER;
  }

  /** @internal Counts a rejected call. @returns its error */
  reject(now: number): CircuitOpenError {
    this.countRejection(now);
    return new CircuitOpenError(this.name, this.retryAfter(now));
  }

  /** @internal Whether the state is the fleet's: see `SharedCircuitBreaker`. */
  get shared(): boolean {
    return false;
  }

  /** @internal The wait of a call that has not been admitted; `undefined` without one. Never rejects. */
  ask(_now: number): Promise<Permit | undefined> | undefined {
    return undefined;
  }

  /** @internal It has been discarded. */
  retire(): void {}

  /** @internal The breaker for a call: this one. Breakers by key have one per key. */
  forCall(): this {
    return this;
  }

  protected overrideWith(kind: OverrideKind, options: OverrideOptions = {}): void {
    this.update(this.now());
    this.overridden = overrideOf(kind, options, this.environment.clock);
    this.changesAt = UNKNOWN;
    this.announceOverride();
  }

  /** Shows a probe to the calls inside it. */
  private hold(probe: Permit): Holding {
    return (probe.holding = new Holding(this, heldAround()));
  }
}
