import { Logger } from '@nestjs/common';
import { brand, shared } from '../common/brand.js';
import { prototypeOf } from './class-line.js';
import { liveRuntimes } from './live-runtimes.js';
import { ownedMethod } from './owned-method.js';
import type { Runtime } from './runtime.js';
import type { Site } from './site.js';

const BRAND = brand('runtime-ref');

/** Where instances have the {@link RuntimeRef} of their application. */
export const SLOT = brand('runtime-slot');

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
  /** Whether the application has started and has not been closed. */
  live = false;
}

/** For instances that were not made for the application alone, and must not keep it alive. */
class WeakRuntimeRef {
  private readonly ref: WeakRef<RuntimeRef>;

  constructor(ref: RuntimeRef) {
    this.ref = new WeakRef(ref);
  }

  get runtime(): Runtime | undefined {
    return this.ref.deref()?.runtime;
  }

  get live(): boolean {
    return this.ref.deref()?.live ?? false;
  }
}

/** Instances and their application. Beside the instances, so that these stay as they are: frozen, comparable. */
const refs = shared(
  'runtime-refs',
  () => new WeakMap<object, Pick<RuntimeRef, 'runtime' | 'live'>>(),
);

export function isRuntimeRef(value: unknown): value is RuntimeRef {
  return (value as Partial<RuntimeRef> | null | undefined)?.[BRAND] === true;
}

export function refOf(instance: object): Pick<RuntimeRef, 'runtime'> | undefined {
  return refs.get(instance);
}

/** An instance that Nest has built for an application. */
export function bindBuilt(instance: object, ref: RuntimeRef): void {
  refs.set(instance, ref);
}

/**
 * An instance that Nest was given. One that is used by another application too stays with the one that is running.
 *
 * @param shared whether it was not made for this application alone
 */
export function bindGiven(instance: object, ref: RuntimeRef, shared: boolean): void {
  const known = refs.get(instance);
  if (known === ref || known?.live) return;
  refs.set(instance, shared ? new WeakRuntimeRef(ref) : ref);
}

interface Slotted {
  [SLOT]?: Pick<RuntimeRef, 'runtime'> | undefined;
}

/**
 * The runtime of the application that `self` belongs to. For what no application has built (a static method, an
 * instance from a request-scoped factory) the only one that is running; when there are several, or none: nothing.
 */
export function runtimeOf(self: unknown, site: Site): Runtime | undefined {
  let ref: Pick<RuntimeRef, 'runtime'> | undefined;
  try {
    ref = (self as Slotted | null | undefined)?.[SLOT];
    if (ref?.runtime !== undefined) return ref.runtime;
  } catch {
    // a proxy that does not say
  }
  if (isRuntimeRef(ref)) {
    warnOnce(site, self, 'its application is still being built, and has no options yet');
    return undefined;
  }
  const { only } = liveRuntimes;
  if (only !== 'several') return only;
  warnOnce(site, self, 'no application has built its instance, and several are running');
  return undefined;
}

const warned = new Set<string>();

/** Nothing is silently unprotected. */
function warnOnce(site: Site, self: unknown, reason: string): void {
  const { owner } = ownedMethod(site, site.static ? (self as object) : prototypeOf(self));
  const message = `${owner.name}.${String(site.key)} runs without its policies: ${reason}`;
  if (warned.has(message)) return;
  warned.add(message);
  new Logger('Resilience').warn(message);
}
