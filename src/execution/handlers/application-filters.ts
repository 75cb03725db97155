import type { ExecutionContext } from '@nestjs/common';
import { shared } from '../../common/brand.js';
import { isInstance, look, lookAtItems, lookByCall } from '../../common/outcomes/look.js';
import { ResilienceExceptionFilter } from './resilience-exception.filter.js';

/** Metadata in which `@UseFilters()` records the filters of a method or a class. */
export const FILTERS = '__exceptionFilters__';

/** Metadata in which `@Catch()` records what a filter catches. */
const CAUGHT = '__filterCatchExceptions__';

/** More filters than any handler has. */
const MOST = 1_000;

/** Filters of the library, in any copy of it; they leave errors to the application's filters. */
const ours = shared('own-filters', () => new WeakSet<object>()).add(ResilienceExceptionFilter);

/** Makes {@link isCaughtByApplication} skip a filter of the library. */
export function markAsOurs(filter: object): void {
  ours.add(filter);
}

/**
 * Whether a filter of the application catches an error that leaves the handler: one on the method or its class, or a global
 * one. Gateways have no global ones.
 *
 * @param config Nest's `ApplicationConfig`
 */
export function isCaughtByApplication(
  error: unknown,
  context: ExecutionContext,
  config: unknown,
): boolean {
  const onMethod: unknown = Reflect.getMetadata(FILTERS, context.getHandler());
  const onClass: unknown = Reflect.getMetadata(FILTERS, context.getClass());
  const filters = [...lookAtItems(onMethod, MOST), ...lookAtItems(onClass, MOST)];
  if (context.getType() !== 'ws') filters.push(...globalFilters(config));
  return filters.some((filter) => catches(filter, error));
}

function globalFilters(config: unknown): unknown[] {
  const scoped = lookAtItems(lookByCall(config, 'getGlobalRequestFilters'), MOST);
  return [
    ...lookAtItems(lookByCall(config, 'getGlobalFilters'), MOST),
    ...scoped.map((wrapper) => look(wrapper, 'metatype')),
  ];
}

/** @param filter a class or an instance */
function catches(filter: unknown, error: unknown): boolean {
  const type: unknown = typeof filter === 'function' ? filter : look(filter, 'constructor');
  if (typeof type !== 'function' || ours.has(type)) return false;
  const caught = lookAtItems(Reflect.getMetadata(CAUGHT, type), MOST);
  return caught.length === 0 || caught.some((each) => isInstance(error, each));
}
