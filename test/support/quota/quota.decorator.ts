import { type PolicyDecorator, definePolicy } from '../../../src/decorators/define.js';
import type { QuotaOptions } from './options.js';
import { quotaPolicy } from './quota.policy.js';

/**
 * Limits how many calls may begin in a period: rejects the others with a `QuotaExceededError` (429).
 *
 * @param options the limit, or `{ limit, per }`
 *
 * @example
 * \@Quota({ limit: 10, per: '1s' })
 */
export function Quota(options: number | QuotaOptions): PolicyDecorator {
  return definePolicy(quotaPolicy, [options]);
}
