import { brand } from '../common/brand.js';
import type { Runtime } from './runtime.js';

const BRAND = brand('runtime-ref');

/** Injection token of the {@link RuntimeRef}. */
export const RUNTIME_REF = brand('RuntimeRef');

/**
 * Injected into decorated classes: a holder that depends on nothing and gets its runtime later. A
 * runtime of its own would depend on the options, whose factory may depend on a decorated class: Nest 10 and 11
 * would wait for ever. It would also make every decorated class request-scoped when the options are.
 */
export class RuntimeRef {
  readonly [BRAND] = true;
  runtime: Runtime | undefined = undefined;
  /** Whether the application has started and has not been closed. */
  live = false;
}

export function isRuntimeRef(value: unknown): value is RuntimeRef {
  return (value as Partial<RuntimeRef> | null | undefined)?.[BRAND] === true;
}
