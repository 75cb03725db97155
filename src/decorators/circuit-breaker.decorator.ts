import { circuitBreakerPolicy } from '../policies/circuit-breaker/circuit-breaker.policy.js';
import type { CircuitBreakerOptions } from '../policies/circuit-breaker/options.js';
import { type PolicyDecorator, definePolicy } from './define.js';

/**
 * Stops calls to a dependency that keeps failing, and detects when it has recovered.
 *
 * Default: opens for 5 s when half of at least 20 calls within 10 s have failed; then one probe decides. While the circuit
 * is open, calls are rejected at once with a `CircuitOpenError` (503).
 *
 * @param options a name (methods that give the same name share the breaker), or options
 *
 * @example
 * \@CircuitBreaker({ name: 'storagesvc', failureRate: 0.5, window: '10s', minimumCalls: 20, openFor: '5s' })
 */
export function CircuitBreaker(options?: string | CircuitBreakerOptions): PolicyDecorator;
export function CircuitBreaker(...given: unknown[]): PolicyDecorator {
  return definePolicy(circuitBreakerPolicy, given);
}
