import type { Policy } from '../policy.js';
import { type RetryOptions, type RetrySettings, checkRetry, settleRetry } from './options.js';
import { RetryStage } from './retry-stage.js';

export const retryPolicy: Policy<'retry', RetryOptions, RetrySettings> = {
  kind: 'retry',
  label: '@Retry',
  normalize: (given) => given,
  settle: settleRetry,
  check: checkRetry,
  stages: (settings, site) => ({ retry: () => new RetryStage(settings, site) }),
};
