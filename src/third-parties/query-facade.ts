import { types } from 'node:util';
import { isClass } from '../common/outcomes/error-matcher.js';
import { adopt, isPromiseLike } from '../pipeline/call.js';
import { isQuery } from './asynchronous.js';
import { Chain, isFixed } from './chain.js';

/**
 * Runs a call whose first attempt is `begun`.
 *
 * @param chain the calls that other attempts repeat
 */
export type Run = (begun: unknown, chain: Chain) => Promise<unknown>;

/**
 * A query that is sent by policies: when it is awaited, and by those of its methods that give a promise, such as
 * `exec()`. Until then it is built as before. Awaiting it at once would send it without the conditions that follow.
 *
 * @param senders the methods known to send it, which policies may reject; completed here
 */
export function withPolicies(
  query: object,
  run: Run,
  senders: Set<PropertyKey>,
  chain = new Chain(),
): object {
  const send = (): Promise<unknown> => run(query, chain.copy());
  const own: Readonly<Record<PropertyKey, Function>> = {
    then: (...done: Parameters<Promise<unknown>['then']>) => send().then(...done),
    catch: (...done: Parameters<Promise<unknown>['catch']>) => send().catch(...done),
    finally: (...done: Parameters<Promise<unknown>['finally']>) => send().finally(...done),
  };
  const facade: object = new Proxy(query, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || isFixed(target, key)) return value;
      if (Object.hasOwn(own, key)) return own[key];
      if (key === 'constructor' || isClass(value)) return value;
      return function (this: unknown, ...args: unknown[]): unknown {
        const call = (): unknown => Reflect.apply(value, this === facade ? target : this, args);
        if (senders.has(key) || types.isAsyncFunction(value)) {
          return run(whenAwaited(call), chain.with(key, args));
        }
        const result = call();
        if (result === target) {
          chain.add(key, args);
          return facade;
        }
        if (typeof result !== 'object' || result === null || !isPromiseLike(result)) return result;
        if (isQuery(result)) return withPolicies(result, run, senders, chain.with(key, args));
        senders.add(key);
        const begun = adopt(result) as Promise<unknown>;
        begun.catch(() => {}); // if a policy rejects the call, nothing else handles the failure of the work
        return run(begun, chain.with(key, args));
      };
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  return facade;
}

/** Work that begins when the attempt does. */
function whenAwaited(work: () => unknown): PromiseLike<unknown> {
  return { then: (...done) => Promise.resolve(adopt(work())).then(...done) };
}
