import { resultOutcomes } from '../../common/outcomes/shape.js';
import { BOOLEAN, TEXT, either, objectShape } from '../../common/shape.js';
import { backoffShape } from '../backoff/shape.js';
import type { PolicyShape } from '../policy.js';
import type { RetryOptions } from './options.js';

export const retryShape: PolicyShape = {
  options: objectShape<RetryOptions>('RetryOptions', {
    enabled: BOOLEAN,
    maxRetries: { is: 'integer', infinite: true },
    backoff: backoffShape({ is: 'duration' }),
    maxElapsedTime: { is: 'duration', above: 0, infinite: true },
    respectRetryAfter: either(BOOLEAN, { is: 'duration' }),
    ...resultOutcomes,
    config: TEXT,
  }),
};
