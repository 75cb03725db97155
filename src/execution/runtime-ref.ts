import { Inject, Logger, Optional } from '@nestjs/common';
import { brand, shared } from '../common/brand.js';
import type { Runtime } from './runtime.js';

const BRAND = brand('runtime-ref');
const SLOT = brand('runtime-slot');

/** Injection token of the {@link RuntimeRef}. */
export const RUNTIME_REF = brand('RuntimeRef');

/**
 * What decorated classes are injected with: a holder that depends on nothing and gets its runtime later. A
 * runtime of its own would depend on the options, whose factory may depend on a decorated class: Nest 10 and 11
 * would wait for ever. It would also make every decorated class request-scoped when the options are.
 */
export class RuntimeRef {
  readonly [BRAND] = true;
  runtime: Runtime | undefined = undefined;
}

/** Instances and their application. Beside the instances, so that these stay as they are: frozen, comparable. */
const refs = shared('runtime-refs', () => new WeakMap<object, RuntimeRef>());

/** The applications that are running in this process. */
export const liveRuntimes = shared('live-runtimes', () => new Set<Runtime>());

interface Slotted {
  [SLOT]?: RuntimeRef | undefined;
}

/** Has Nest hand the runtime to the instances of a class; once for a class and its subclasses. */
export function prepareSlot(prototype: object): void {
  if (SLOT in prototype) return;
  Object.defineProperty(prototype, SLOT, {
    configurable: true,
    get(this: object) {
      return refs.get(this);
    },
    set(this: object, ref: unknown) {
      // Auto-mocking test tools inject something else here, which must not swallow the method.
      if ((ref as Partial<RuntimeRef> | undefined)?.[BRAND] === true)
        refs.set(this, ref as RuntimeRef);
    },
  });
  Inject(RUNTIME_REF)(prototype, SLOT);
  Optional()(prototype, SLOT);
}

/** Binds an instance that Nest has not built itself (`useFactory`, `useValue`); one that is bound stays so. */
export function bindInstance(instance: object, ref: RuntimeRef): void {
  if (SLOT in instance && !refs.has(instance)) refs.set(instance, ref);
}

/**
 * The runtime of the application that `self` belongs to. For what no application has built (a static method, an
 * instance from a request-scoped factory) the only one that is running; when there are several, or none: nothing.
 */
export function runtimeOf(self: unknown): Runtime | undefined {
  const ref = (self as Slotted | null | undefined)?.[SLOT];
  if (ref?.runtime !== undefined) return ref.runtime;
  if (ref !== undefined) {
    warnOnce(self, 'its application is still being built, and has no options yet');
  } else if (liveRuntimes.size === 1) {
    for (const runtime of liveRuntimes) return runtime;
  } else if (liveRuntimes.size > 1) {
    warnOnce(self, 'no application has built its instance, and several are running');
  }
  return undefined;
}

const warned = new Set<string>();

/** Nothing is silently unprotected. */
function warnOnce(self: unknown, reason: string): void {
  const name = (self as object | null | undefined)?.constructor?.name ?? 'an unknown class';
  const message = `a method of ${name} runs without its policies: ${reason}`;
  if (warned.has(message)) return;
  warned.add(message);
  new Logger('Resilience').warn(message);
}
