import { types } from 'node:util';

/** Calls such as `limit(5)` on an iterable that returned it, to be repeated on another one. */
export class Chain {
  private readonly calls: { readonly key: PropertyKey; readonly args: readonly unknown[] }[] = [];

  add(key: PropertyKey, args: readonly unknown[]): void {
    this.calls.push({ key, args });
  }

  /** @returns the result of the last call */
  repeat(iterable: unknown): unknown {
    return this.calls.reduce((at, { key, args }) => {
      const method = (at as Record<PropertyKey, Function>)[key]!;
      return Reflect.apply(method, at, args) as unknown;
    }, iterable);
  }
}

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

/** Whether a proxy has to show a property unchanged. */
function isFixed(target: object, key: PropertyKey): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  return descriptor?.configurable === false && descriptor.writable === false;
}
