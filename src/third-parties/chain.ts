interface ChainedCall {
  readonly key: PropertyKey;
  readonly args: readonly unknown[];
}

/** Calls such as `limit(5)` on the result of a method, to be repeated on the result of another attempt. */
export class Chain {
  private readonly calls: ChainedCall[] = [];

  add(key: PropertyKey, args: readonly unknown[]): void {
    this.calls.push({ key, args });
  }

  /** @returns the result of the last call */
  repeat(result: unknown): unknown {
    return this.calls.reduce((at, { key, args }) => {
      const method = (at as Record<PropertyKey, Function>)[key]!;
      return Reflect.apply(method, at, args) as unknown;
    }, result);
  }
}

/** Whether a proxy has to show a property unchanged. */
export function isFixed(target: object, key: PropertyKey): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  return descriptor?.configurable === false && descriptor.writable === false;
}
