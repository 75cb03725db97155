import { ResilienceError } from '../../../src/common/errors.js';

/** There were enough calls in this period. 429, code `QUOTA_EXCEEDED`. */
export class QuotaExceededError extends ResilienceError {
  constructor(policyName: string, limit: number, retryAfterMs: number) {
    super({
      code: 'QUOTA_EXCEEDED',
      policy: 'quota',
      policyName,
      status: 429,
      title: 'Too Many Requests',
      message: `${policyName} has had its ${limit} calls of this period`,
      retryAfterMs,
    });
  }
}
