import { brand, shared } from '../common/brand.js';
import { prototypeOf } from './class-line.js';
import type { PlansOfClass } from './plan.js';
import type { RuntimeRef } from './runtime-ref.js';

const BRAND = brand('binding');

/** Where a class has its instances tell their {@link Binding}. */
export const SLOT = brand('runtime-slot');

/** Knows the plans of calls, by prototype. */
interface Plans {
  ofClass(prototype: object): PlansOfClass;
}

/** Ties an instance to its application. */
export abstract class Binding {
  readonly [BRAND] = true;
  /** For calls on such instances, once one has been made. */
  plans: PlansOfClass | undefined = undefined;

  abstract readonly ref: RuntimeRef | undefined;
  /** Whether the application that it ties to may still be starting. */
  abstract get starting(): boolean;

  /** Remembers where the plans are, if it may keep the application alive. */
  abstract learn(plans: Plans): void;
}

/** For the instances of a class that were made for one application. */
class OwnBinding extends Binding {
  constructor(
    readonly ref: RuntimeRef,
    private readonly prototype: object,
  ) {
    super();
  }

  get starting(): boolean {
    return this.ref.runtime === undefined;
  }

  learn(plans: Plans): void {
    this.plans = plans.ofClass(this.prototype);
  }
}

/** For an instance that was not made for one application alone, and must not keep it alive. */
class SharedBinding extends Binding {
  readonly starting = false;
  private readonly weakly: WeakRef<RuntimeRef>;

  constructor(ref: RuntimeRef) {
    super();
    this.weakly = new WeakRef(ref);
  }

  get ref(): RuntimeRef | undefined {
    return this.weakly.deref();
  }

  learn(): void {}
}

/** Beside the instances, so that these stay as they are: frozen, comparable. */
const bindings = shared('bindings', () => new WeakMap<object, Binding>());

/** By application and by prototype. */
const ownBindings = new WeakMap<RuntimeRef, WeakMap<object, Binding>>();

/** Of an instance; `undefined` for what is none, or has not been bound. */
export function bindingOf(instance: unknown): Binding | undefined {
  return bindings.get(instance as object);
}

export function isBinding(value: unknown): value is Binding {
  return (value as Partial<Binding> | null | undefined)?.[BRAND] === true;
}

/** An instance that Nest has built for an application. */
export function bindBuilt(instance: object, ref: RuntimeRef): void {
  bindings.set(instance, ownBinding(ref, prototypeOf(instance) ?? Object.prototype));
}

/**
 * An instance that Nest was given. One that is used by another application too stays with the one that is running.
 *
 * @param forSeveral whether it was not made for this application alone
 */
export function bindGiven(instance: object, ref: RuntimeRef, forSeveral: boolean): void {
  const known = bindings.get(instance)?.ref;
  if (known === ref || known?.live) return;
  if (forSeveral) bindings.set(instance, new SharedBinding(ref));
  else bindBuilt(instance, ref);
}

function ownBinding(ref: RuntimeRef, prototype: object): Binding {
  let ofRef = ownBindings.get(ref);
  if (ofRef === undefined) ownBindings.set(ref, (ofRef = new WeakMap()));
  let binding = ofRef.get(prototype);
  if (binding === undefined) ofRef.set(prototype, (binding = new OwnBinding(ref, prototype)));
  return binding;
}
