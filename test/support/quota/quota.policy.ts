import type { Policy } from '../../../src/policies/policy.js';
import { type QuotaOptions, type QuotaSettings, readQuotaOptions } from './options.js';
import { QuotaStage } from './quota-stage.js';
import { quotaShape } from './shape.js';

export const quotaPolicy: Policy<'quota', QuotaOptions, QuotaSettings, number | QuotaOptions> = {
  kind: 'quota',
  label: '@Quota',
  shape: quotaShape,
  normalize: (given) => (typeof given === 'number' ? { limit: given } : given),
  read: readQuotaOptions,
  stages: (settings, site) => ({ quota: () => new QuotaStage(settings, site) }),
};
