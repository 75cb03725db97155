import type { Policy, PolicySite } from '../policy.js';
import { Bulkhead } from './bulkhead.js';
import { BulkheadStage, FlexibleBulkheadStage } from './bulkhead-stage.js';
import { KeyedBulkheads } from './keyed-bulkheads.js';
import { type BulkheadOptions, type BulkheadSettings, readBulkheadOptions } from './options.js';
import { bulkheadShape } from './shape.js';

const KIND = 'bulkhead';

export const bulkheadPolicy: Policy<
  typeof KIND,
  BulkheadOptions,
  BulkheadSettings,
  number | BulkheadOptions
> = {
  kind: KIND,
  label: '@Bulkhead',
  shape: bulkheadShape,
  normalize: (given) => (typeof given === 'number' ? { maxConcurrent: given } : given),
  read: readBulkheadOptions,
  part: (settings) => ({ name: settings.name, settings }),
  reconfigure: (part, settings) => (part as Bulkhead | KeyedBulkheads).reconfigure(settings),
  stages: ({ name }, site) => ({
    bulkhead: () => {
      const part = obtainBulkheads(name ?? site.partNameOf(KIND), site);
      if (!(part instanceof Bulkhead)) {
        return new FlexibleBulkheadStage((call) => part.forCall(call), site);
      }
      return part.reentrant
        ? new FlexibleBulkheadStage(() => part, site)
        : new BulkheadStage(part, site);
    },
  }),
  inForce: ({ maxConcurrent, maxQueue, maxWait, reentrant, key, maxKeys }) => ({
    maxConcurrent,
    maxQueue,
    maxWait,
    reentrant,
    ...(key !== undefined && { maxKeys }),
  }),
  snapshot: (_settings, part) => ({
    bulkhead: part instanceof Bulkhead ? part.snapshot() : undefined,
  }),
};

/** The bulkhead or bulkheads of that name, made with the settings of the subject that defines the name. */
function obtainBulkheads(name: string, site: PolicySite): Bulkhead | KeyedBulkheads {
  return site.named.obtain(KIND, name, (settings: BulkheadSettings) => {
    const create = (own: string, limits = settings): Bulkhead => new Bulkhead(own, limits, site);
    const part =
      settings.key === undefined
        ? create(name)
        : new KeyedBulkheads(name, settings, create, (message) => site.warn(message));
    site.onClose(() => part.close());
    return part;
  });
}
