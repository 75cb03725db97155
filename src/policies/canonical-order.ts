import { circuitBreakerPolicy } from './circuit-breaker/index.js';
import { fallbackPolicy } from './fallback/index.js';
import { retryPolicy } from './retry/index.js';
import { timeoutPolicy } from './timeout/index.js';

/**
 * The order of all stages, outermost first, whatever the order of the decorators. A new policy enters here.
 *
 * Fallback sees every failure, our own rejections included. The total timeout bounds all attempts and the waits
 * between them. Each attempt passes the circuit breaker and has its own time.
 */
const canonicalOrder = [
  { policy: fallbackPolicy, stage: 'fallback' },
  { policy: timeoutPolicy, stage: 'total timeout' },
  { policy: retryPolicy, stage: 'retry' },
  { policy: circuitBreakerPolicy, stage: 'circuit breaker' },
  { policy: timeoutPolicy, stage: 'attempt timeout' },
] as const;

type AnyPolicy = (typeof canonicalOrder)[number]['policy'];

export type PolicyKind = AnyPolicy['kind'];

/** Options by policy, as `defaults`, `configs` and `overrides` take them. */
export type PolicyOptions = {
  [P in AnyPolicy as P['kind']]: ReturnType<P['normalize']>;
};

/** The names of the stages, outermost first. */
export const stageOrder: readonly string[] = canonicalOrder.map(({ stage }) => stage);

/** All policies by their kind. */
export const policies: ReadonlyMap<string, AnyPolicy> = new Map(
  canonicalOrder.map(({ policy }) => [policy.kind, policy]),
);
