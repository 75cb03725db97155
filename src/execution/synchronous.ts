import type { Problems } from '../common/options-reader.js';
import { isAwaitedByNest } from './handlers.js';
import type { OwnedMethod } from './owned-method.js';
import { synchronousTypeOf } from './return-type.js';

/** The compiler refuses our decorators on a method that is not asynchronous, but does not see into `applyDecorators()`. */
export function reportSynchronous({ site, owner }: OwnedMethod, problems: Problems): void {
  if (site.policies.size === 0 || isAwaitedByNest(site.wrapper ?? site.original)) return;
  const type = synchronousTypeOf(site);
  if (type === undefined) return;
  problems.add(
    `${owner.name}.${String(site.key)}`,
    `returns ${type}; a protected method has to return a promise, an Observable or an async iterable, so make it async`,
  );
}
