import { types } from 'node:util';
import { isClass } from '../common/outcomes/error-matcher.js';
import { isPromiseLike, look } from '../common/outcomes/look.js';
import { adopt } from '../pipeline/call.js';
import { isQuery } from './asynchronous.js';
import { isFixed } from './chain.js';

/**
 * Runs a call whose first attempt is `begun`.
 *
 * @param another makes another attempt
 */
export type Run = (begun: unknown, another: () => unknown) => Promise<unknown>;

/** The queries behind the facades, since other queries look at their private state: `union(query)`. */
const originals = new WeakMap<object, object>();

/**
 * A query that is sent by policies: when it is awaited, and by those of its methods that return a promise, such as
 * `exec()`. Until then it is built as before. Awaiting it at once would send it without the conditions that follow.
 * Another attempt sends the same query again, however it was built, or a `clone()` of it.
 *
 * @param senders the methods known to send it, which policies may reject; completed here
 */
export function withPolicies(query: object, run: Run, senders: Set<PropertyKey>): object {
  const send = (): Promise<unknown> => run(query, () => adopt(copyOf(query)));
  const own: Readonly<Record<PropertyKey, Function>> = {
    then: (...done: Parameters<Promise<unknown>['then']>) => send().then(...done),
    catch: (...done: Parameters<Promise<unknown>['catch']>) => send().catch(...done),
    finally: (...done: Parameters<Promise<unknown>['finally']>) => send().finally(...done),
  };
  const facade: object = new Proxy(query, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (isFixed(target, key)) return value;
      if (value === target) return facade; // `not` and `or` of knex
      if (typeof value !== 'function') return value;
      if (Object.hasOwn(own, key)) return own[key];
      if (key === 'constructor' || isClass(value)) return value;
      return function (this: unknown, ...given: unknown[]): unknown {
        const args = given.map((arg) => originals.get(arg as object) ?? arg);
        const on = (self: unknown): unknown => Reflect.apply(value, self, args);
        const call = (): unknown => on(this === facade ? target : this);
        const another = (): unknown => adopt(on(copyOf(target)));
        if (senders.has(key) || types.isAsyncFunction(value))
          return run(whenAwaited(call), another);
        const result = call();
        if (result === target) return facade;
        if (typeof result !== 'object' || result === null || !isPromiseLike(result)) return result;
        if (isQuery(result)) return withPolicies(result, run, senders);
        senders.add(key);
        const begun = adopt(result) as Promise<unknown>;
        begun.catch(() => {}); // if a policy rejects the call, nothing else handles the failure of the work
        return run(begun, another);
      };
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  originals.set(facade, query);
  return facade;
}

/** The same query, to be sent again: Mongoose sends one only once. */
function copyOf(query: object): unknown {
  const clone = look(query, 'clone');
  return typeof clone === 'function' ? Reflect.apply(clone, query, []) : query;
}

/** Work that begins when the attempt does. */
function whenAwaited(work: () => unknown): PromiseLike<unknown> {
  return { then: (...done) => Promise.resolve(adopt(work())).then(...done) };
}
