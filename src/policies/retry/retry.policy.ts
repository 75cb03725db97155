import type { Policy } from '../policy.js';
import { type RetryOptions, type RetrySettings, checkRetry, readRetryOptions } from './options.js';
import { RetryStage } from './retry-stage.js';
import { retryShape } from './shape.js';

export const retryPolicy: Policy<'retry', RetryOptions, RetrySettings> = {
  kind: 'retry',
  label: '@Retry',
  shape: retryShape,
  normalize: (given) => given,
  read: readRetryOptions,
  check: checkRetry,
  inForce: ({ maxRetries, maxElapsedTime }) => ({ maxRetries, maxElapsedTime }),
  stages: (settings, site) => ({ retry: () => new RetryStage(settings, site) }),
};
