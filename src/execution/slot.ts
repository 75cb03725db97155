import { Inject, Optional } from '@nestjs/common';
import { SLOT, bindBuilt, bindGiven, bindingOf } from './binding.js';
import { tellEarlyCalls } from './call-plans.js';
import { coverSubclasses } from './coverage.js';
import { RUNTIME_REF, type RuntimeRef, isRuntimeRef } from './runtime-ref.js';

/** Makes Nest hand the runtime to the instances of a class and its subclasses. */
export function prepareSlot(prototype: object): void {
  if (SLOT in prototype) return;
  Object.defineProperty(prototype, SLOT, {
    configurable: true,
    get(this: object) {
      return bindingOf(this);
    },
    set(this: object, ref: unknown) {
      // Auto-mocking test tools inject something else here; the methods must still run.
      if (!isRuntimeRef(ref)) return;
      bindBuilt(this, ref);
      coverSubclasses(this);
      tellEarlyCalls(this);
    },
  });
  Inject(RUNTIME_REF)(prototype, SLOT);
  Optional()(prototype, SLOT);
}

/**
 * Binds an instance that Nest has not built itself.
 *
 * @param shared whether it was not made for this application alone (`useValue`)
 */
export function bindInstance(instance: object, ref: RuntimeRef, shared: boolean): void {
  try {
    if (!(SLOT in instance)) return;
  } catch {
    return; // a proxy that throws
  }
  bindGiven(instance, ref, shared);
  coverSubclasses(instance);
  if (!shared) tellEarlyCalls(instance);
}
