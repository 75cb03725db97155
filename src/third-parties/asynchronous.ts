import { types } from 'node:util';
import { isPlainObject } from '../common/objects.js';
import { ask, look } from '../common/outcomes/look.js';
import { isObservableResult } from '../execution/streams/streams.js';

/** The kinds of asynchronous results. A query is sent when it is awaited: until then it may get further conditions. */
export type Gives = 'promise' | 'query' | 'observable' | 'iterable';

/** A result of a method; wrapped, since it may be `undefined`. */
export interface Given {
  readonly given: unknown;
}

/** The kind of a result; `undefined` if it is not asynchronous. Never throws. */
export function asynchronousKindOf(result: unknown): Gives | undefined {
  if ((typeof result !== 'object' && typeof result !== 'function') || result === null) {
    return undefined;
  }
  if (types.isPromise(result)) return 'promise';
  if (canBeAwaited(result)) return isQuery(result) ? 'query' : 'promise';
  if (isObservableResult(result)) return 'observable';
  return typeof look(result, Symbol.asyncIterator) === 'function' ? 'iterable' : undefined;
}

/**
 * Whether a thenable is a query builder: of a class of its own that is not a class of promises. A transaction of knex does not
 * count: it represents work that has begun.
 */
export function isQuery(result: object): boolean {
  if (!canBeAwaited(result) || types.isPromise(result) || isPlainObject(result)) return false;
  const type = look(result, 'constructor');
  if (isFunction(look(type, 'resolve')) && isFunction(look(type, 'reject'))) return false;
  if (isFunction(look(result, 'commit')) && isFunction(look(result, 'rollback'))) return false;
  return !ask(() => result instanceof Promise, true);
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

/**
 * Whether a result is a foreign promise, or a query that is sent by `then()`. Callback queries of mysql2 have one
 * function as both `then()` and `catch()`, which throws an error: they are not promises.
 */
function canBeAwaited(result: object): boolean {
  const then = look(result, 'then');
  return typeof then === 'function' && then !== look(result, 'catch');
}

/** The kind of a method's results, as far as known without a call. */
export function knownKindOf(method: Function): Gives | undefined {
  if (!types.isAsyncFunction(method)) return undefined;
  return types.isGeneratorFunction(method) ? 'iterable' : 'promise';
}
