import { bulkheadPolicy } from './bulkhead/bulkhead.policy.js';
import { circuitBreakerPolicy } from './circuit-breaker/circuit-breaker.policy.js';
import { fallbackPolicy } from './fallback/fallback.policy.js';
import type { Policy } from './policy.js';
import { rateLimitPolicy } from './rate-limit/rate-limit.policy.js';
import { retryPolicy } from './retry/retry.policy.js';
import { timeoutPolicy } from './timeout/timeout.policy.js';

/**
 * The order of all stages, outermost first, whatever the order of the decorators. A new policy is added here, and the reason for its
 * position below.
 *
 * The fallback sees every failure, our own rejections included. The total timeout limits all attempts and the waits
 * between them. Each attempt passes the circuit breaker and the rate limit, and has its own time limit, which includes
 * the wait for a place. The rate limit counts attempts, since each of them is a request; an attempt that an open
 * circuit rejects is not.
 */
const canonicalOrder = [
  { policy: fallbackPolicy, stage: 'fallback' },
  { policy: timeoutPolicy, stage: 'total timeout' },
  { policy: retryPolicy, stage: 'retry' },
  { policy: circuitBreakerPolicy, stage: 'circuit breaker' },
  { policy: rateLimitPolicy, stage: 'rate limit' },
  { policy: timeoutPolicy, stage: 'attempt timeout' },
  { policy: bulkheadPolicy, stage: 'bulkhead' },
] as const;

/** The definition of any of the policies. */
type AnyPolicy = (typeof canonicalOrder)[number]['policy'];

/** The key of a policy in options. */
export type PolicyKind = AnyPolicy['kind'];

/** The options that decorators, defaults, pipelines and commands accept, by policy. */
export type PolicyOptions = {
  [P in AnyPolicy as P['kind']]: Parameters<P['normalize']>[0];
};

/** The name of a stage, for the `order` of a pipeline. */
export type StageName = (typeof canonicalOrder)[number]['stage'];

/** The names of the stages, outermost first. */
export const stageOrder: readonly StageName[] = canonicalOrder.map(({ stage }) => stage);

/** All policies by their kind. */
export const policies: ReadonlyMap<string, Policy<string, object, unknown, unknown>> = new Map(
  canonicalOrder.map(({ policy }) => [policy.kind, policy]),
);
