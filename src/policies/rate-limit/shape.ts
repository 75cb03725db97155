import { BOOLEAN, COUNT, TEXT, TIME, either, objectShape } from '../../common/shape.js';
import type { PolicyShape } from '../policy.js';
import { SCOPE } from '../scope.js';
import type { RateLimitOptions } from './options.js';

export const rateLimitShape: PolicyShape = {
  short: COUNT,
  options: objectShape<RateLimitOptions>('RateLimitOptions', {
    enabled: BOOLEAN,
    name: TEXT,
    limit: COUNT,
    per: TIME,
    burst: COUNT,
    maxWait: { is: 'duration' },
    cost: either(COUNT, TEXT),
    key: TEXT,
    maxKeys: COUNT,
    headers: BOOLEAN,
    scope: SCOPE,
    config: TEXT,
  }),
};
