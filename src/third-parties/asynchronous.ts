import { types } from 'node:util';
import { look } from '../common/outcomes/look.js';
import { isObservableResult } from '../execution/streams.js';

/** The kinds of asynchronous results. */
export type Gives = 'promise' | 'observable' | 'iterable';

/** A result of a method; wrapped, since it may be `undefined`. */
export interface Given {
  readonly given: unknown;
}

/** The kind of a result; `undefined` if it is not asynchronous. Never throws. */
export function asynchronousKindOf(result: unknown): Gives | undefined {
  if ((typeof result !== 'object' && typeof result !== 'function') || result === null) {
    return undefined;
  }
  if (types.isPromise(result) || isThenable(result)) return 'promise';
  if (isObservableResult(result)) return 'observable';
  return typeof look(result, Symbol.asyncIterator) === 'function' ? 'iterable' : undefined;
}

/**
 * Whether a result is a foreign promise, or a query that is sent by `then()`. Callback queries of mysql2 have one
 * function as `then()` and `catch()`, which throws an error: they are not promises.
 */
function isThenable(result: object): boolean {
  const then = look(result, 'then');
  return typeof then === 'function' && then !== look(result, 'catch');
}

/** The kind of a method's results, as far as known without a call. */
export function knownKindOf(method: Function): Gives | undefined {
  if (!types.isAsyncFunction(method)) return undefined;
  return types.isGeneratorFunction(method) ? 'iterable' : 'promise';
}
