import { deepStrictEqual, ok } from 'node:assert/strict';
import * as fc from 'fast-check';
import { breakerAt, settingsOf } from '../../../test/support/breaker.js';
import type { Outcome } from '../../common/outcomes/outcome.js';
import type { BreakerState, OverrideKind, StateChangeEvent } from '../../telemetry/events.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { CircuitBreakerOptions } from './options.js';
import type { Permit } from './permit.js';

/** The rules that the model knows; times in whole milliseconds, so that bucket edges are exact. */
interface Rules {
  readonly window:
    | { readonly calls: number }
    | { readonly duration: number; readonly buckets: number }
    | undefined;
  readonly failureRate: number | undefined;
  readonly slowCallRate: number | undefined;
  readonly slowCallDuration: number;
  readonly consecutiveFailures: number | undefined;
  readonly minimumCalls: number;
  readonly resetInterval: number | undefined;
  readonly openFor: number;
  readonly maxProbes: number;
  readonly successThreshold: number;
  readonly maxProbeDuration: number;
  readonly maxCallDuration: number;
}

function optionsOf(rules: Rules): CircuitBreakerOptions {
  const { window, failureRate, slowCallRate, consecutiveFailures, resetInterval, openFor } = rules;
  return {
    ...(window && { window }),
    ...(failureRate !== undefined && { failureRate }),
    ...(slowCallRate !== undefined && { slowCallRate }),
    ...(consecutiveFailures !== undefined && { consecutiveFailures }),
    ...(resetInterval !== undefined && { resetInterval }),
    slowCallDuration: rules.slowCallDuration,
    minimumCalls: rules.minimumCalls,
    maxCallDuration: rules.maxCallDuration,
    openFor: (attempt) => openFor * attempt,
    halfOpen: {
      maxCalls: rules.maxProbes,
      successThreshold: rules.successThreshold,
      maxDuration: rules.maxProbeDuration,
    },
  };
}

interface ModelCall {
  readonly generation: number;
  readonly admittedAt: number;
  readonly expiresAt: number;
  readonly probe: boolean;
  settled: boolean;
  gaveUp: boolean;
  end: { readonly at: number; readonly outcome: Outcome; readonly slow: boolean } | undefined;
}

/**
 * The rules of a breaker in their plainest form: it keeps every call of its generation and works everything out
 * from that list each time.
 */
class Model {
  state: BreakerState = 'closed';
  generation = 0;
  since = 0;
  override: { kind: OverrideKind; endsAt: number } | undefined;
  opensUntil = 0;
  openings = 0;
  rejected = 0;
  stale = 0;
  /** Of all generations. */
  readonly all: ModelCall[] = [];
  /** Of this generation. */
  calls: ModelCall[] = [];
  /** The calls of this generation that have ended, in that order. */
  ended: ModelCall[] = [];
  /** When this generation began. */
  origin = 0;

  constructor(private readonly rules: Rules) {}

  admit(now: number): ModelCall | undefined {
    this.pass(now);
    const { maxCallDuration, maxProbeDuration } = this.rules;
    if (this.override?.kind === 'forced-open') return this.reject();
    if (this.state === 'closed') return this.add(now, false, maxCallDuration);
    if (this.state === 'half-open' && this.runningProbes < this.placesForProbes) {
      return this.add(now, true, maxProbeDuration);
    }
    return this.override === undefined ? this.reject() : this.add(now, false, Infinity);
  }

  settle(call: ModelCall, outcome: Outcome, now: number): void {
    if (call.settled) return;
    call.settled = true;
    this.pass(now);
    if (call.gaveUp || call.generation !== this.generation) this.stale += 1;
    else this.finish(call, outcome, now);
  }

  /** Applies the effects of time, one after the other. */
  pass(now: number): void {
    for (;;) {
      const [first] = this.due
        .filter(({ at }) => at <= now)
        .sort((one, other) => one.at - other.at || one.order - other.order);
      if (first === undefined) break;
      first.happens(now);
    }
    const { resetInterval = Infinity } = this.rules;
    if (this.state === 'closed' && now > this.origin + resetInterval) this.begin(now);
  }

  private get due(): { at: number; order: number; happens: (now: number) => void }[] {
    const { override } = this;
    const hung = this.all.filter(({ settled, gaveUp }) => !settled && !gaveUp);
    return [
      ...(override === undefined
        ? []
        : [{ at: override.endsAt, order: 0, happens: () => (this.override = undefined) }]),
      ...hung.map((call) => ({
        at: call.expiresAt,
        order: call.probe ? 2 : 1,
        happens: (now: number) => {
          call.gaveUp = true;
          // A probe fails when its lease ends, whenever that is found.
          if (call.generation === this.generation) {
            this.finish(call, 'failure', call.probe ? call.expiresAt : now);
          }
        },
      })),
      ...(this.state === 'open'
        ? [
            {
              at: this.opensUntil,
              order: 3,
              happens: (now: number) => this.enter('half-open', now),
            },
          ]
        : []),
    ].map((each) => ({ ...each, happens: (now: number) => void each.happens(now) }));
  }

  reset(now: number): void {
    this.pass(now);
    this.openings = 0;
    this.enter('closed', now);
  }

  get running(): ModelCall[] {
    return this.calls.filter(({ end }) => end === undefined);
  }

  get runningProbes(): number {
    return this.running.filter(({ probe }) => probe).length;
  }

  view(now: number): object {
    const inside = this.ended.filter((call) => this.counts(call, now));
    const withOutcome = (outcome: Outcome): number =>
      inside.filter(({ end }) => end!.outcome === outcome).length;
    const [successes, failures] = [withOutcome('success'), withOutcome('failure')];
    const slow = inside.filter(({ end }) => end!.slow).length;
    const ended = successes + failures;
    return {
      name: 'model',
      state: this.state,
      override: this.override?.kind,
      counts: {
        requests: this.requests(now),
        successes,
        failures,
        ignored: withOutcome('ignored'),
        slow,
        consecutiveSuccesses: Math.min(this.streakOf('success'), successes),
        consecutiveFailures: Math.min(this.streakOf('failure'), failures),
      },
      failureRate: ended === 0 ? 0 : failures / ended,
      slowCallRate: ended === 0 ? 0 : slow / ended,
      generation: this.generation,
      stateForMs: now - this.since,
      retryAfterMs: this.state === 'open' ? this.opensUntil - now : undefined,
      running: this.running.length,
      rejected: this.rejected,
      stale: this.stale,
    };
  }

  private reject(): undefined {
    this.rejected += 1;
  }

  private add(admittedAt: number, probe: boolean, maxDuration: number): ModelCall {
    const { generation } = this;
    const expiresAt = admittedAt + maxDuration;
    const call = {
      generation,
      admittedAt,
      expiresAt,
      probe,
      settled: false,
      gaveUp: false,
      end: undefined,
    };
    this.calls.push(call);
    this.all.push(call);
    return call;
  }

  private finish(call: ModelCall, outcome: Outcome, now: number): void {
    const { slowCallDuration, slowCallRate, successThreshold } = this.rules;
    const slow = outcome !== 'ignored' && now - call.admittedAt > slowCallDuration;
    call.end = { at: now, outcome, slow };
    this.ended.push(call);
    if (outcome === 'ignored') return;
    const bad = outcome === 'failure' || (slow && slowCallRate !== undefined);
    if (call.probe) {
      if (bad) this.open(now);
      else if (this.goodProbes >= successThreshold) {
        this.openings = 0;
        this.enter('closed', now);
      }
    } else if (this.state === 'closed' && this.hasReasonToOpen(outcome, now)) {
      this.open(now);
    }
  }

  private get goodProbes(): number {
    const { slowCallRate } = this.rules;
    return this.ended.filter(
      ({ probe, end }) =>
        probe && end!.outcome === 'success' && !(end!.slow && slowCallRate !== undefined),
    ).length;
  }

  private get placesForProbes(): number {
    const { maxProbes, successThreshold } = this.rules;
    return Math.min(maxProbes, successThreshold - this.goodProbes);
  }

  private hasReasonToOpen(outcome: Outcome, now: number): boolean {
    const { failureRate, slowCallRate, consecutiveFailures, minimumCalls } = this.rules;
    const inside = this.ended.filter(
      (call) => call.end!.outcome !== 'ignored' && this.counts(call, now),
    );
    const failures = inside.filter(({ end }) => end!.outcome === 'failure').length;
    const slow = inside.filter(({ end }) => end!.slow).length;
    if (outcome === 'failure' && consecutiveFailures !== undefined) {
      if (Math.min(this.streakOf('failure'), failures) >= consecutiveFailures) return true;
    }
    if (inside.length < minimumCalls) return false;
    // Rates are whole quarters, so this is exact.
    return (
      failures / inside.length >= (failureRate ?? 2) || slow / inside.length >= (slowCallRate ?? 2)
    );
  }

  private streakOf(outcome: Outcome): number {
    const decided = this.ended.filter(({ end }) => end!.outcome !== 'ignored').reverse();
    const other = decided.findIndex(({ end }) => end!.outcome !== outcome);
    return other === -1 ? decided.length : other;
  }

  private counts(call: ModelCall, now: number): boolean {
    const { window } = this.rules;
    if (window === undefined) return true;
    if (!('calls' in window)) return this.isRecent(call.end!.at, now);
    if (call.end!.outcome === 'ignored') return true;
    return this.ended
      .filter(({ end }) => end!.outcome !== 'ignored')
      .slice(-window.calls)
      .includes(call);
  }

  private requests(now: number): number {
    const { window } = this.rules;
    if (window === undefined) return this.calls.length;
    if (!('calls' in window)) {
      return this.calls.filter(({ end, admittedAt }) => this.isRecent(end?.at ?? admittedAt, now))
        .length;
    }
    const decided = this.ended.filter(({ end }) => end!.outcome !== 'ignored').length;
    return Math.min(decided, window.calls) + this.running.length;
  }

  private isRecent(at: number, now: number): boolean {
    const { duration, buckets } = this.rules.window as { duration: number; buckets: number };
    const bucketOf = (time: number): number =>
      Math.floor((time - this.origin) / (duration / buckets));
    return bucketOf(now) - bucketOf(at) < buckets;
  }

  private open(now: number): void {
    if (this.override?.kind === 'disabled') return;
    this.openings += 1;
    this.opensUntil = now + this.rules.openFor * this.openings;
    this.enter('open', now);
  }

  private enter(state: BreakerState, now: number): void {
    this.state = state;
    this.since = now;
    this.begin(now);
  }

  private begin(now: number): void {
    this.generation += 1;
    this.origin = now;
    this.calls = [];
    this.ended = [];
  }
}

type Step =
  | { readonly do: 'admit' | 'release' | 'reset' }
  | { readonly do: 'settle'; readonly which: number; readonly outcome: Outcome }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'override'; readonly kind: OverrideKind; readonly forMs: number | undefined };

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const outcome = fc.constantFrom<Outcome>('success', 'failure', 'failure', 'ignored');

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: fc.constant<Step>({ do: 'admit' }) },
  {
    weight: 30,
    arbitrary: fc.record({ do: fc.constant('settle' as const), which: fc.nat(100), outcome }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.oneof(fc.nat(20), fc.constantFrom(50, 100, 200), fc.nat(1_000)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('override' as const),
      kind: fc.constantFrom<OverrideKind>('forced-open', 'disabled', 'observe-only'),
      forMs: maybe(fc.integer({ min: 1, max: 500 })),
    }),
  },
  { weight: 4, arbitrary: fc.constant<Step>({ do: 'release' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'reset' }) },
);

const rate = maybe(fc.constantFrom(0.25, 0.5, 1));

const windowed = fc.oneof(
  fc.record({
    window: fc.record({ calls: fc.integer({ min: 4, max: 8 }) }),
    resetInterval: fc.constant(undefined),
  }),
  fc.record({
    window: fc.constantFrom(
      { duration: 100, buckets: 10 },
      { duration: 300, buckets: 3 },
      { duration: 50, buckets: 1 },
    ),
    resetInterval: fc.constant(undefined),
  }),
  fc.record({ window: fc.constant(undefined), resetInterval: fc.constantFrom(100, 400, Infinity) }),
);

const rules: fc.Arbitrary<Rules> = fc
  .tuple(
    windowed,
    fc.record({
      failureRate: rate,
      slowCallRate: rate,
      slowCallDuration: fc.constantFrom(20, 100),
      consecutiveFailures: maybe(fc.integer({ min: 1, max: 4 })),
      minimumCalls: fc.integer({ min: 1, max: 4 }),
      openFor: fc.constantFrom(50, 100),
      maxProbes: fc.integer({ min: 1, max: 3 }),
      successThreshold: fc.integer({ min: 1, max: 4 }),
      maxProbeDuration: fc.constantFrom(30, 100),
      maxCallDuration: fc.constantFrom(100, 200, Infinity),
    }),
  )
  .map(([window, others]) => {
    const conditionless =
      others.slowCallRate === undefined && others.consecutiveFailures === undefined;
    return {
      ...window,
      ...others,
      failureRate: others.failureRate ?? (conditionless ? 0.5 : undefined),
    };
  });

/** A breaker and its model, taking the same steps. */
class Pair {
  private time = 0;
  private readonly model: Model;
  private readonly breaker: CircuitBreaker;
  private readonly permits: Permit[] = [];
  private readonly modelCalls: ModelCall[] = [];
  private readonly changes: StateChangeEvent[] = [];

  constructor(private readonly rules: Rules) {
    this.model = new Model(rules);
    this.breaker = breakerAt(() => this.time, settingsOf(optionsOf(rules)), 'model');
    this.breaker.onStateChange((change) => this.changes.push(change));
  }

  take(step: Step): void {
    const { model, breaker, time } = this;
    if (step.do === 'admit') this.admit();
    if (step.do === 'settle') this.settle(step.which, step.outcome);
    if (step.do === 'wait') this.time += step.ms;
    if (step.do === 'release') {
      breaker.clearOverride();
      model.override = undefined;
    }
    if (step.do === 'reset') {
      breaker.reset();
      model.reset(time);
    }
    if (step.do === 'override') this.override(step.kind, step.forMs);
    this.compare();
  }

  private admit(): void {
    const permit = this.breaker.tryAcquire();
    const call = this.model.admit(this.time);
    deepStrictEqual(permit?.probe, call?.probe);
    if (permit === undefined || call === undefined) return;
    this.permits.push(permit);
    this.modelCalls.push(call);
  }

  /** Mostly the calls that run; also those that have ended: a permit may be settled twice, and late. */
  private settle(which: number, outcome: Outcome): void {
    if (this.permits.length === 0) return;
    const running = this.model.running;
    const index =
      which % 4 > 0 && running.length > 0
        ? this.modelCalls.indexOf(running[which % running.length]!)
        : Math.max(0, this.permits.length - 1 - (which % 8));
    const permit = this.permits[index]!;
    const call = this.modelCalls[index]!;
    const before = this.breaker.snapshot();
    const late = call.settled || call.gaveUp || call.generation !== this.model.generation;
    if (outcome === 'success') permit.success();
    else if (outcome === 'failure') permit.failure(new Error('down'));
    else permit.ignore();
    if (late) {
      // Metrics are not part of the decision: they count it, unless it has been counted as hung.
      const { stale, metrics, ...after } = this.breaker.snapshot();
      deepStrictEqual({ ...after, stale, metrics }, { ...before, stale, metrics });
    }
    this.model.settle(call, outcome, this.time);
  }

  private override(kind: OverrideKind, forMs: number | undefined): void {
    const { breaker, model, time } = this;
    const options = forMs === undefined ? {} : { until: new Date(time + forMs) };
    if (kind === 'forced-open') breaker.forceOpen(options);
    if (kind === 'disabled') breaker.disable(options);
    if (kind === 'observe-only') breaker.observeOnly(options);
    model.pass(time);
    model.override = { kind, endsAt: time + (forMs ?? Infinity) };
  }

  private compare(): void {
    const { breaker, model, time, rules } = this;
    model.pass(time);
    const {
      override,
      critical: _critical,
      limits: _limits,
      metrics,
      timeInStateMs,
      scope: _scope,
      ...snapshot
    } = breaker.snapshot();
    deepStrictEqual({ ...snapshot, override: override?.kind }, model.view(time));

    const inAllStates = Object.values(timeInStateMs).reduce((sum, ms) => sum + ms, 0);
    ok(Math.abs(inAllStates - time) < 1e-6);
    ok(metrics.concurrency.now >= snapshot.running);
    const { counts, running } = snapshot;
    for (const count of Object.values(counts)) ok(count >= 0);
    ok(running >= 0);
    ok(model.runningProbes <= rules.maxProbes);
    ok(counts.requests >= counts.successes + counts.failures);
    let state: BreakerState = 'closed';
    for (const { from, to } of this.changes) {
      deepStrictEqual(from, state);
      ok(to !== from);
      state = to;
    }
    deepStrictEqual(snapshot.state, state);
  }
}

describe('a circuit breaker', () => {
  it('behaves like its model, in whatever order calls, time, overrides and resets come', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(rules, fc.array(step, { minLength: 20, maxLength: 80 }), (given, steps) => {
        const pair = new Pair(given);
        for (const each of steps) pair.take(each);
        for (const { from, to, reason } of pair['changes']) seen.add(`${from} > ${to}: ${reason}`);
      }),
      { numRuns: 1_000 },
    );
    // The runs have been everywhere.
    expect([...seen].sort()).toEqual([
      'closed > open: consecutive-failures',
      'closed > open: failure-rate',
      'closed > open: slow-call-rate',
      'half-open > closed: probes-succeeded',
      'half-open > closed: reset',
      'half-open > open: probe-failed',
      'open > closed: reset',
      'open > half-open: open-time-elapsed',
    ]);
  });
});
