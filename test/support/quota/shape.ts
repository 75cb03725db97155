import { COUNT, TEXT, TIME, objectShape } from '../../../src/common/shape.js';
import type { PolicyShape } from '../../../src/policies/policy.js';
import type { QuotaOptions } from './options.js';

export const quotaShape: PolicyShape = {
  short: COUNT,
  options: objectShape<QuotaOptions>('QuotaOptions', { limit: COUNT, per: TIME, config: TEXT }),
};
