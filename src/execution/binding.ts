import { brand, shared } from '../common/brand.js';
import { prototypeOf } from './methods/class-line.js';
import type { PlansOfClass } from './plan.js';
import type { RuntimeRef } from './runtime-ref.js';

const BRAND = brand('binding');

/** The property through which Nest hands over the runtime, and which reads as the instance's {@link Binding}. */
export const SLOT = brand('runtime-slot');

/** The part of `CallPlans` that is used here. */
interface Plans {
  ofClass(prototype: object): PlansOfClass;
}

/** Ties an instance to its application. */
export abstract class Binding {
  readonly [BRAND] = true;
  /** The plans for calls on these instances, once a call has been made. */
  plans: PlansOfClass | undefined = undefined;

  abstract readonly ref: RuntimeRef | undefined;
  /** Whether its application may still be starting. */
  abstract get starting(): boolean;

  /** Remembers the plans, if it may keep the application alive. */
  abstract learn(plans: Plans): void;
}

/** The binding of instances of a class that were made for one application. */
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

/** The binding of an instance that was not made for one application alone, and must not keep one alive. */
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

/** Kept outside the instances, so that these need no extra property: they may be frozen, or compared. */
const bindings = shared('bindings', () => new WeakMap<object, Binding>());

/** One per application and prototype. */
const ownBindings = new WeakMap<RuntimeRef, WeakMap<object, Binding>>();

/** The binding of an instance; `undefined` for any other value, and for an instance that has not been bound. */
export function bindingOf(instance: unknown): Binding | undefined {
  return bindings.get(instance as object);
}

export function isBinding(value: unknown): value is Binding {
  return (value as Partial<Binding> | null | undefined)?.[BRAND] === true;
}

/** Binds an instance that Nest has built for an application. */
export function bindBuilt(instance: object, ref: RuntimeRef): void {
  bindings.set(instance, ownBinding(ref, prototypeOf(instance) ?? Object.prototype));
}

/**
 * Binds an instance that was given to Nest. If another running application uses it too, it stays bound to that one.
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
