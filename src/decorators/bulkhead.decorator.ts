import { bulkheadPolicy } from '../policies/bulkhead/bulkhead.policy.js';
import type { BulkheadOptions } from '../policies/bulkhead/options.js';
import { type PolicyDecorator, definePolicy } from './define.js';

/**
 * Limits how many calls run at a time, so that one slow dependency cannot occupy everything. A call keeps its place
 * until its work has really ended, even if its caller has stopped waiting.
 *
 * Default: 10 at a time and no queue: further calls are rejected at once with a `BulkheadFullError` (503).
 *
 * @param options how many calls may run at a time, or options
 *
 * @example
 * \@Bulkhead({ name: 'storagesvc', maxConcurrent: 20, maxQueue: 50, maxWait: '500ms' })
 */
export function Bulkhead(options?: number | BulkheadOptions): PolicyDecorator;
export function Bulkhead(...given: unknown[]): PolicyDecorator {
  return definePolicy(bulkheadPolicy, given);
}
