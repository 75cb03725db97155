import type { Policy, PolicySite } from '../policy.js';
import type { AnyBulkhead } from './any-bulkhead.js';
import { Bulkhead } from './bulkhead.js';
import { BulkheadStage, FlexibleBulkheadStage } from './bulkhead-stage.js';
import { KeyedBulkheads } from './keyed-bulkheads.js';
import { type BulkheadOptions, type BulkheadSettings, readBulkheadOptions } from './options.js';
import { bulkheadShape } from './shape.js';
import { SharedBulkhead } from './shared-bulkhead.js';

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
  reconfigure: (part, settings) =>
    (part as AnyBulkhead | KeyedBulkheads<AnyBulkhead>).reconfigure(settings),
  stages: ({ name }, site) => ({
    bulkhead: () => {
      const part = obtainBulkheads(name ?? site.partNameOf(KIND), site);
      if (part instanceof KeyedBulkheads) {
        return new FlexibleBulkheadStage((call) => part.forCall(call), site);
      }
      return part.reentrant
        ? new FlexibleBulkheadStage(() => part, site)
        : new BulkheadStage(part, site);
    },
  }),
  inForce: ({ maxConcurrent, maxQueue, maxWait, reentrant, key, maxKeys, scope }) => ({
    maxConcurrent,
    maxQueue,
    maxWait,
    reentrant,
    scope,
    ...(key !== undefined && { maxKeys }),
  }),
  snapshot: (_settings, part) => ({
    bulkhead:
      part === undefined || part instanceof KeyedBulkheads
        ? undefined
        : (part as AnyBulkhead).snapshot(),
  }),
};

/** The bulkhead or bulkheads of that name, made with the settings of the subject that defines the name. */
function obtainBulkheads(
  name: string,
  site: PolicySite,
): AnyBulkhead | KeyedBulkheads<AnyBulkhead> {
  return site.named.obtain(KIND, name, (settings: BulkheadSettings) => {
    const { fleet } = site;
    const create = (own: string, limits = settings): AnyBulkhead =>
      settings.scope === 'local' || fleet === undefined
        ? new Bulkhead(own, limits, site)
        : new SharedBulkhead(own, limits, site, fleet.store);
    const part =
      settings.key === undefined
        ? create(name)
        : new KeyedBulkheads<AnyBulkhead>(name, settings, create, (message) => site.warn(message));
    site.onClose(() => part.close());
    return part;
  });
}
