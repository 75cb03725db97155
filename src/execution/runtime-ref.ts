import { brand } from '../common/brand.js';
import type { Runtime } from './runtime.js';

const BRAND = brand('runtime-ref');

/** Injection token of the {@link RuntimeRef}. */
export const RUNTIME_REF = brand('RuntimeRef');

/**
 * A holder without dependencies, injected into decorated classes; it gets its runtime later. If the runtime itself were
 * injected, decorated classes would depend on the options, whose factory may depend on a decorated class: Nest 10 and 11
 * would wait forever. And if the options were request-scoped, so would every decorated class be.
 */
export class RuntimeRef {
  readonly [BRAND] = true;
  runtime: Runtime | undefined = undefined;
  /** Whether the application is running: it has started, and has not been closed. */
  live = false;
}

export function isRuntimeRef(value: unknown): value is RuntimeRef {
  return (value as Partial<RuntimeRef> | null | undefined)?.[BRAND] === true;
}
