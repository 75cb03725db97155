import { types } from 'node:util';
import { type Chain, isFixed } from './chain.js';

/**
 * An async iterable whose iteration is `iterable`. A generator is replaced by it; anything else, such as a cursor or a
 * `Readable`, keeps its other members.
 *
 * @param chain gets the calls that return the original
 */
export function withIterator(
  original: object,
  iterable: AsyncIterable<unknown>,
  chain: Chain,
): object {
  if (types.isGeneratorObject(original)) return iterable;
  const facade: object = new Proxy(original, {
    get(target, key) {
      if (key === Symbol.asyncIterator) return () => iterable[Symbol.asyncIterator]();
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || isFixed(target, key)) return value;
      return function (this: unknown, ...args: unknown[]): unknown {
        const result: unknown = Reflect.apply(value, this === facade ? target : this, args);
        if (result !== target) return result;
        chain.add(key, args);
        return facade;
      };
    },
  });
  return facade;
}
