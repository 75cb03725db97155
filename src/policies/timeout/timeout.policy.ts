import type { Duration } from '../../common/duration.js';
import type { Policy } from '../policy.js';
import { type TimeoutOptions, type TimeoutSettings, readTimeoutOptions } from './options.js';
import { TimeoutStage } from './timeout-stage.js';
import { timeoutShape } from './shape.js';

export const timeoutPolicy: Policy<
  'timeout',
  TimeoutOptions,
  TimeoutSettings,
  Duration | TimeoutOptions
> = {
  kind: 'timeout',
  label: '@Timeout',
  shape: timeoutShape,
  normalize: (given) => (typeof given === 'object' && given !== null ? given : { attempt: given }),
  read: readTimeoutOptions,
  stages: ({ attempt, total }, site) => ({
    ...(total !== undefined && { 'total timeout': () => new TimeoutStage('total', total, site) }),
    ...(attempt !== undefined && {
      'attempt timeout': () => new TimeoutStage('attempt', attempt, site),
    }),
  }),
  inForce: ({ attempt, total }) => ({ attempt, total }),
  snapshot: ({ attempt }) => ({ attemptTimeoutMs: attempt }),
};
