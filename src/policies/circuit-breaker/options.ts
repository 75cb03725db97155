import type { Duration } from '../../common/duration.js';
import type { OptionsReader } from '../../common/options-reader.js';
import { Classifier } from '../../common/outcomes/classifier.js';
import {
  type Outcome,
  type OutcomeRule,
  type ResultOutcomeOptions,
  readOutcomeOptions,
} from '../../common/outcomes/outcome.js';
import { outcomeOfResult } from '../../common/outcomes/stream-result.js';
import { swallow } from '../../common/outcomes/look.js';
import type { BreakerCounts, StateChangeEvent } from '../../telemetry/events.js';
import { type Backoff, type DelayRule, isSpec, readBackoff } from '../backoff/backoff.js';
import { type Key, type KeyOfCall, readKey } from '../key.js';
import type { PolicySite } from '../policy.js';
import { readRetryAfterCap } from '../retry-after-cap.js';
import { type BreakerScope, type Sharing, readScope } from './scope.js';
import type { Switchable } from '../switchable.js';
import { type WindowOptions, type WindowSettings, readWindow } from './window-options.js';

/** The probes of a half-open circuit. */
export interface HalfOpenOptions {
  /** Probes that may run at the same time. Default 1. */
  readonly maxCalls?: number;
  /** Successful probes that close the circuit; one failed probe opens it again. Default: `maxCalls`. */
  readonly successThreshold?: number;
  /** A probe that takes longer has failed, whatever its outcome: the circuit is open again from then on. Default 30 s. */
  readonly maxDuration?: Duration;
}

/** Options of `@CircuitBreaker()`; a string stands for `{ name }`. */
export interface CircuitBreakerOptions extends ResultOutcomeOptions, Switchable {
  /** Methods that use the same name share the breaker. Default: the name of the pipeline, method (`Class.method`) or command. */
  readonly name?: string;
  /** Opens when at least this share of the window's calls has failed, above 0 to 1. Default 0.5; off if another condition is given. */
  readonly failureRate?: number;
  /** Opens when at least this share of the window's calls was slow, above 0 to 1. Default: off. */
  readonly slowCallRate?: number;
  /** A call that takes longer is slow. Default 60 s. */
  readonly slowCallDuration?: Duration;
  /** Opens after this many failures with no success in between. Default: off. */
  readonly consecutiveFailures?: number;
  /** Called after each success and each failure while closed; opens when it returns true. Default: off. */
  readonly readyToTrip?: (counts: BreakerCounts) => boolean;
  /** The calls to consider. Default: those of the last 10 s; without a rate, all calls. */
  readonly window?: WindowOptions;
  /** Rates are checked only once the window holds this many ended calls. Default 20, or the window's size if that is less. */
  readonly minimumCalls?: number;
  /** Instead of `window`: counts all calls, and starts over at this interval. `Infinity`: never. Default: off. */
  readonly resetInterval?: Duration;
  /** How long the circuit stays open, or a backoff that grows each time it opens again without having closed. Default 5 s. */
  readonly openFor?: Duration | Backoff;
  /** The probes that decide whether it closes. Default: one probe at a time, of at most 30 s; one success closes it. */
  readonly halfOpen?: HalfOpenOptions;
  /** A call that takes longer counts as failed although it continues: a hang is a failure. `Infinity`: off. Default 60 s. */
  readonly maxCallDuration?: Duration;
  /**
   * Stays open at least for the `Retry-After` of the failure that opened it, capped at this value. `true`: capped at 60 s;
   * `false`: ignores `Retry-After`. Default `true`.
   */
  readonly respectRetryAfter?: boolean | Duration;
  /** Decides alone, instead of `ignore`, `skip`, `on` and `onResult`; `error` is `undefined` when the call returned. */
  readonly classify?: (error: unknown, result: unknown) => Outcome;
  /** Called after each change of state. */
  readonly onStateChange?: (change: StateChangeEvent) => void;
  /** One breaker per key: per host or tenant, for example. Default: one for all calls. */
  readonly key?: Key;
  /** How many keys are kept at a time; a new one replaces an idle one. Default 1000. */
  readonly maxKeys?: number;
  /**
   * Whether the application is useless without the dependency: health checks then report `down`, not `degraded`, while
   * the circuit rejects calls. Not together with `key`. Default false.
   */
  readonly critical?: boolean;
  /**
   * What decides the state: each instance by itself (`'local'`); all of them together, so that one instance's trip opens
   * the circuit everywhere (`'shared'`); or as many instances as `quorum` says. The last two need a store:
   * `forRoot({ store })`. Default `'local'`.
   */
  readonly scope?: BreakerScope;
  /** A named configuration of `forRoot({ configs })` to take options from. */
  readonly config?: string;
}

/** How a breaker counts and decides: durations in milliseconds, everything checked. */
export interface BreakerSettings {
  readonly failureRate: number | undefined;
  readonly slowCallRate: number | undefined;
  readonly slowCallDuration: number;
  readonly consecutiveFailures: number | undefined;
  readonly readyToTrip: ((counts: BreakerCounts) => boolean) | undefined;
  readonly window: WindowSettings;
  readonly minimumCalls: number;
  readonly resetInterval: number;
  readonly openFor: DelayRule;
  /** The open time, or the first one without jitter; `undefined` for a user's function. */
  readonly openForMs: number | undefined;
  readonly maxProbes: number;
  readonly successThreshold: number;
  readonly maxProbeDuration: number;
  readonly maxCallDuration: number;
  readonly retryAfterCap: number;
  readonly critical: boolean;
  /** `undefined`: a local one. */
  readonly sharing: Sharing | undefined;
  readonly classifier: OutcomeRule;
  readonly onStateChange: ((change: StateChangeEvent) => void) | undefined;
}

export interface CircuitBreakerSettings {
  readonly name: string | undefined;
  readonly key: KeyOfCall | undefined;
  readonly maxKeys: number;
  readonly breaker: BreakerSettings;
}

const DEFAULT_MINIMUM_CALLS = 20;

const DEFAULT_OPEN_FOR = 5_000;

const RATE = { above: 0, max: 1 } as const;

export function readCircuitBreakerOptions(
  read: OptionsReader<CircuitBreakerOptions>,
  site: Pick<PolicySite, 'method' | 'name' | 'fleet'> = {
    name: read.where,
    method: undefined,
    fleet: undefined,
  },
): CircuitBreakerSettings {
  const settings = {
    name: read.text('name'),
    key: readKey(read, site),
    maxKeys: read.integer('maxKeys', { min: 1 }) ?? 1_000,
    breaker: readBreakerOptions(read, site.fleet !== undefined),
  };
  if (settings.key !== undefined) refuseCritical(read, settings);
  return settings;
}

/** Breakers by key cannot be critical. */
function refuseCritical(
  read: OptionsReader<CircuitBreakerOptions>,
  { breaker }: CircuitBreakerSettings,
): void {
  if (!breaker.critical) return;
  read.contradiction(
    'critical and key exclude each other, since trouble of one key is not trouble of the application; give the critical dependency a breaker of its own',
  );
}

function readBreakerOptions(
  read: OptionsReader<CircuitBreakerOptions>,
  hasStore: boolean,
): BreakerSettings {
  const failureRate = read.number('failureRate', RATE);
  const slowCallRate = read.number('slowCallRate', RATE);
  const consecutiveFailures = read.integer('consecutiveFailures', { min: 1 });
  const readyToTrip = read.synchronous('readyToTrip');
  const otherCondition = slowCallRate ?? consecutiveFailures ?? readyToTrip;
  const rated =
    failureRate !== undefined || slowCallRate !== undefined || otherCondition === undefined;
  const window = readWindow(read, rated);
  const minimumCalls =
    read.integer('minimumCalls', { min: 1 }) ?? Math.min(DEFAULT_MINIMUM_CALLS, window.capacity);
  const half = read.nested<HalfOpenOptions>('halfOpen');
  const maxProbes = half.integer('maxCalls', { min: 1 }) ?? 1;
  const successThreshold = half.integer('successThreshold', { min: 1 }) ?? maxProbes;
  const maxProbeDuration = half.duration('maxDuration', { above: 0 }) ?? 30_000;
  half.done();
  const settings: BreakerSettings = {
    failureRate: failureRate ?? (otherCondition === undefined ? 0.5 : undefined),
    slowCallRate,
    slowCallDuration: read.duration('slowCallDuration', { above: 0 }) ?? 60_000,
    consecutiveFailures,
    readyToTrip,
    window,
    minimumCalls,
    resetInterval: read.duration('resetInterval', { above: 0, infinite: true }) ?? Infinity,
    ...readOpenFor(read),
    maxProbes,
    successThreshold,
    maxProbeDuration,
    maxCallDuration: read.duration('maxCallDuration', { above: 0, infinite: true }) ?? 60_000,
    retryAfterCap: readRetryAfterCap(read),
    critical: read.boolean('critical') ?? false,
    sharing: readScope(read, hasStore),
    classifier: readClassifier(read),
    onStateChange: read.function('onStateChange'),
  };
  if (slowCallRate !== undefined && settings.slowCallDuration > settings.maxCallDuration) {
    read.contradiction(
      `slowCallDuration (${settings.slowCallDuration} ms) is longer than maxCallDuration (${settings.maxCallDuration} ms), so a slow call would always count as hung first`,
    );
  }
  if (rated) checkReachable(read, 'minimumCalls', minimumCalls, window);
  checkReachable(read, 'consecutiveFailures', consecutiveFailures ?? 0, window);
  return settings;
}

function checkReachable(
  read: OptionsReader<CircuitBreakerOptions>,
  option: string,
  needed: number,
  { capacity }: WindowSettings,
): void {
  if (needed <= capacity) return;
  read.contradiction(
    `${option} (${needed}) is more than the window holds (${capacity} calls), so the circuit would never open`,
  );
}

function readOpenFor(
  read: OptionsReader<CircuitBreakerOptions>,
): Pick<BreakerSettings, 'openFor' | 'openForMs'> {
  const given: unknown = read.raw('openFor');
  if (typeof given === 'function' || isSpec(given)) {
    const openFor = readBackoff(read, 'openFor') ?? (() => DEFAULT_OPEN_FOR);
    if (!isSpec(given)) return { openFor, openForMs: undefined };
    const openForMs = openFor({
      attempt: 1,
      error: undefined,
      previous: undefined,
      random: () => 0.5,
    });
    if (openForMs === 0) read.wrong('openFor', given, 'a backoff whose first delay is above 0');
    // Full jitter may draw 0.
    return { openFor: (context) => Math.max(1, openFor(context)), openForMs };
  }
  const openForMs = read.duration('openFor', { above: 0 }) ?? DEFAULT_OPEN_FOR;
  return { openFor: () => openForMs, openForMs };
}

function readClassifier(read: OptionsReader<CircuitBreakerOptions>): OutcomeRule {
  const standard = new Classifier(readOutcomeOptions(read));
  const classify = read.synchronous('classify');
  if (classify === undefined) return standard;
  for (const option of ['ignore', 'skip', 'on', 'onResult'] as const) {
    if (read.raw(option) !== undefined) {
      read.contradiction(`classify decides alone, ${option} would have no effect; use one of them`);
    }
  }
  // If a user's function throws, the permit must not be lost.
  return {
    ofError: (error) => answerOf(() => classify(error, undefined), 'failure'),
    ofResult: (result) =>
      outcomeOfResult(result, (shown) => answerOf(() => classify(undefined, shown), 'success')),
  };
}

function answerOf(ask: () => unknown, otherwise: Outcome): Outcome {
  try {
    const answer = ask();
    if (answer === 'success' || answer === 'failure' || answer === 'ignored') return answer;
    swallow(answer);
  } catch {
    // as if it were not given
  }
  return otherwise;
}
