import type { Policy, PolicySite } from '../policy.js';
import { Bulkhead } from './bulkhead.js';
import { BulkheadStage } from './bulkhead-stage.js';
import { type BulkheadOptions, type BulkheadSettings, settleBulkhead } from './options.js';

const KIND = 'bulkhead';

export const bulkheadPolicy: Policy<
  typeof KIND,
  BulkheadOptions,
  BulkheadSettings,
  number | BulkheadOptions
> = {
  kind: KIND,
  label: '@Bulkhead',
  normalize: (given) => (typeof given === 'number' ? { maxConcurrent: given } : given),
  settle: settleBulkhead,
  part: (settings) => ({ name: settings.name, settings }),
  stages: ({ name }, site) => ({
    bulkhead: () => new BulkheadStage(obtainBulkhead(name ?? site.partNameOf(KIND), site), site),
  }),
};

/** The bulkhead of that name, made as whoever defined the name wants it. */
function obtainBulkhead(name: string, site: PolicySite): Bulkhead {
  return site.named.obtain(KIND, name, (settings: BulkheadSettings) => {
    const bulkhead = new Bulkhead(name, settings, site);
    site.onClose(() => bulkhead.close());
    return bulkhead;
  });
}
