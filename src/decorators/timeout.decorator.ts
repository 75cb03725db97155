import type { Duration } from '../common/duration.js';
import { timeoutPolicy } from '../policies/timeout/timeout.policy.js';
import type { TimeoutOptions } from '../policies/timeout/options.js';
import { type PolicyDecorator, definePolicy } from './define.js';

/**
 * Limits how long a call or an attempt may take: then stops waiting with a `TimeoutError` (504), and aborts the signal of
 * the call (`@Signal()`).
 *
 * @param options the limit of an attempt, or `{ attempt, total }`
 *
 * @example
 * \@Timeout({ attempt: '2s', total: '10s' })
 */
export function Timeout(options: Duration | TimeoutOptions): PolicyDecorator;
export function Timeout(...given: unknown[]): PolicyDecorator {
  return definePolicy(timeoutPolicy, given);
}
