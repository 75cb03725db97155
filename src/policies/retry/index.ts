import type { Policy } from '../policy.js';
import { type RetryOptions, type RetrySettings, settleRetry } from './options.js';
import { RetryStage } from './retry-stage.js';

export const retryPolicy: Policy<'retry', RetryOptions, RetrySettings> = {
  kind: 'retry',
  label: '@Retry',
  normalize: (given) => given,
  settle: settleRetry,
  stages: (settings, site) => ({ retry: () => new RetryStage(settings, site) }),
};
