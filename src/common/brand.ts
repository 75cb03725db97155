/**
 * A symbol on which two copies of the package (its ESM and its CommonJS build in one process) agree, by `Symbol.for`.
 */
export function brand(name: string): symbol {
  return Symbol.for(`nest-resilience:${name}`);
}

/** A value that all copies of the package in this process share. */
export function shared<T>(name: string, create: () => T): T {
  const slots = globalThis as unknown as Record<symbol, T | undefined>;
  return (slots[brand(name)] ??= create());
}
