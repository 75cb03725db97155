import {
  type BulkheadOptions,
  type CircuitBreakerOptions,
  type RateLimitOptions,
  type RetryOptions,
  type StageName,
  type TimeoutOptions,
} from '../../src/index.js';
import type { Dice } from './dice.js';
import type { Mischief } from './mischief.js';
import {
  breakerOptions,
  bulkheadOptions,
  rateLimitOptions,
  retryOptions,
  timeoutOptions,
} from './policies.js';

export type Kind = 'method' | 'command' | 'pipeline';
export type Returns = 'promise' | 'observable' | 'iterable';
export type FallbackKind = 'value' | 'function' | 'method' | 'class' | 'stale' | 'list';

export interface Policies {
  readonly retry?: RetryOptions;
  readonly timeout?: TimeoutOptions;
  readonly circuitBreaker?: CircuitBreakerOptions;
  readonly rateLimit?: RateLimitOptions;
  readonly bulkhead?: BulkheadOptions;
}

/** Something protected: its kind, its policies and its own calls. */
export interface SubjectPlan {
  readonly index: number;
  /** `S3`: its class, command or pipeline. */
  readonly label: string;
  readonly kind: Kind;
  readonly returns: Returns;
  readonly policies: Policies;
  readonly fallback: FallbackKind | undefined;
  /** Another order of the stages than the canonical one. */
  readonly order: readonly StageName[] | undefined;
  /** Subjects that it may call. */
  readonly calls: readonly number[];
  /** The class that its class extends: its method calls `super.m()`. */
  readonly parent: number | undefined;
  /** Instances of its class in each application. */
  readonly instances: number;
  /** Policies of the method that is its fallback. */
  readonly spare: Policies;
}

const STAGES: Readonly<Record<string, (policies: Policies) => boolean>> = {
  'total timeout': ({ timeout }) => timeout?.total !== undefined,
  retry: ({ retry }) => retry !== undefined,
  'circuit breaker': ({ circuitBreaker }) => circuitBreaker !== undefined,
  'rate limit': ({ rateLimit }) => rateLimit !== undefined,
  'attempt timeout': ({ timeout }) => timeout?.attempt !== undefined,
  bulkhead: ({ bulkhead }) => bulkhead !== undefined,
};

/** The calls between subjects: each only calls earlier ones, so that there are no circles. */
interface Shape {
  readonly kind: Kind;
  readonly returns: Returns;
  readonly calls: number[];
  readonly parent: number | undefined;
}

function shapes(dice: Dice, count: number): Shape[] {
  const all: Shape[] = [];
  for (let index = 0; index < count; index++) {
    const kind = dice.weighted<Kind>({ method: 5, command: 3, pipeline: 2 });
    const returns =
      kind === 'method'
        ? dice.weighted<Returns>({ promise: 6, observable: 1, iterable: 1 })
        : 'promise';
    const calls: number[] = [];
    if (index > 0 && dice.chance(0.6)) calls.push(dice.int(0, index - 1));
    if (index > 1 && dice.chance(0.3)) calls.push(dice.int(0, index - 1));
    const bases = all.flatMap(({ kind: k, returns: r, parent }, i) =>
      k === 'method' && r === 'promise' && parent === undefined ? [i] : [],
    );
    const inherits = kind === 'method' && returns === 'promise' && bases.length > 0;
    const parent = inherits && dice.chance(0.25) ? dice.pick(bases) : undefined;
    all.push({ kind, returns, calls, parent });
  }
  return all;
}

/** Parts that several subjects use by their name. */
interface SharedParts {
  readonly breakers: readonly CircuitBreakerOptions[];
  readonly limits: readonly RateLimitOptions[];
  readonly bulkheads: readonly BulkheadOptions[];
}

/** So many subjects, some of which share breakers, limits and bulkheads. */
export function planSubjects(dice: Dice, mischief: Mischief, count: number): SubjectPlan[] {
  const all = shapes(dice, count);
  const parts: SharedParts = {
    breakers: ['b0', 'b1'].map((name) => breakerOptions(dice.fork(), mischief, name)),
    limits: ['l0', 'l1'].map((name) => rateLimitOptions(dice.fork(), mischief, name)),
    bulkheads: ['h0', 'h1'].map((name) => bulkheadOptions(dice.fork(), true, name)),
  };
  return all.map(({ kind, returns, calls, parent }, index) => {
    const inner = all.some((other) => other.calls.includes(index) || other.parent === index);
    const policies = planPolicies(dice, mischief, inner, parts);
    const { circuitBreaker, rateLimit, bulkhead } = policies;
    const named = circuitBreaker?.name ?? rateLimit?.name ?? bulkhead?.name;
    const fallback = dice.chance(0.35) ? planFallback(dice, kind) : undefined;
    // Parts that are shared by name stay out of pipelines.
    const ordered = named === undefined && dice.chance(0.3);
    return {
      index,
      label: `S${index}`,
      kind,
      returns,
      policies,
      fallback,
      order: ordered ? planOrder(dice, policies, fallback) : undefined,
      calls,
      parent,
      instances: kind === 'method' && dice.chance(0.2) ? 2 : 1,
      spare: dice.chance(0.3) ? planPolicies(dice, mischief, true, parts) : {},
    };
  });
}

function planPolicies(
  dice: Dice,
  mischief: Mischief,
  inner: boolean,
  { breakers, limits, bulkheads }: SharedParts,
): Policies {
  return {
    ...(dice.chance(0.5) && { retry: retryOptions(dice, mischief) }),
    ...(dice.chance(0.5) && { timeout: timeoutOptions(dice) }),
    ...(dice.chance(0.65) && {
      circuitBreaker: dice.chance(0.5) ? dice.pick(breakers) : breakerOptions(dice, mischief),
    }),
    ...(dice.chance(0.3) && {
      rateLimit: dice.chance(0.4) ? dice.pick(limits) : rateLimitOptions(dice, mischief),
    }),
    ...(dice.chance(0.5) && {
      bulkhead: dice.chance(0.4) ? dice.pick(bulkheads) : bulkheadOptions(dice, inner),
    }),
  };
}

function planFallback(dice: Dice, kind: Kind): FallbackKind {
  const kinds: FallbackKind[] = ['value', 'function', 'class', 'stale', 'list'];
  return dice.pick(kind === 'method' ? [...kinds, 'method'] : kinds);
}

function planOrder(
  dice: Dice,
  policies: Policies,
  fallback: FallbackKind | undefined,
): readonly StageName[] {
  const stages = Object.keys(STAGES).filter((stage) => STAGES[stage]!(policies));
  if (fallback !== undefined) stages.push('fallback');
  return dice.shuffled(stages) as StageName[];
}
