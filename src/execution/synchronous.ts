import type { Problems } from '../common/options-reader.js';
import { isAwaitedByNest } from './handlers/handler-kinds.js';
import type { OwnedMethod } from './methods/owned-method.js';
import { synchronousTypeOf } from './methods/return-type.js';

/** Reports a decorated method that is synchronous. The compiler rejects it too, but not behind `applyDecorators()`. */
export function reportSynchronous({ decorated, owner }: OwnedMethod, problems: Problems): void {
  if (decorated.policies.size === 0 || isAwaitedByNest(decorated.wrapper ?? decorated.original))
    return;
  const type = synchronousTypeOf(decorated);
  if (type === undefined) return;
  problems.add(
    `${owner.name}.${String(decorated.key)}`,
    `returns ${type}; a protected method has to return a promise, an Observable or an async iterable, so make it async`,
  );
}
