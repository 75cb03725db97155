import { types } from 'node:util';

/**
 * An async iterable whose iteration is `iterable`. A generator is replaced by it; anything else, such as a cursor or a
 * `Readable`, keeps its other members.
 */
export function withIterator(original: object, iterable: AsyncIterable<unknown>): object {
  if (types.isGeneratorObject(original)) return iterable;
  const facade: object = new Proxy(original, {
    get(target, key) {
      if (key === Symbol.asyncIterator) return () => iterable[Symbol.asyncIterator]();
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || isFixed(target, key)) return value;
      return function (this: unknown, ...args: unknown[]): unknown {
        return Reflect.apply(value, this === facade ? target : this, args);
      };
    },
  });
  return facade;
}

/** Whether a proxy has to show a property as it is. */
function isFixed(target: object, key: PropertyKey): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  return descriptor?.configurable === false && descriptor.writable === false;
}
