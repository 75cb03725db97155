import { callScope } from './call-scope.js';

/**
 * Shows nested calls that the call around them holds a part, such as a breaker whose probe it is. Only calls that
 * hold something pay for this: their work runs in a separate async context.
 */
export class Holding {
  /** Other holdings of the call and of the calls around it, without ended ones, so that the chain does not grow. */
  readonly outer: Holding | undefined;

  constructor(
    private part: object | undefined,
    outer: Holding | undefined,
  ) {
    this.outer = outer?.live;
  }

  /** The part has been given back. Work that goes on in the context no longer holds anything, and keeps nothing alive. */
  end(): void {
    this.part = undefined;
  }

  /** This one, or the next one around it that has not ended. */
  get live(): Holding | undefined {
    return this.part === undefined ? this.outer?.live : this;
  }

  holds(part: object): boolean {
    return this.part === part || (this.outer?.holds(part) ?? false);
  }
}

/** The holdings of the calls around the code that is running. */
export function heldAround(): Holding | undefined {
  return callScope.getStore()?.holding?.live;
}

/** Whether the running code is inside a call that holds `part`. */
export function isInside(part: object): boolean {
  return heldAround()?.holds(part) ?? false;
}

/** Runs `work` so that the calls made inside it find `holding`. */
export function runHolding<T>(holding: Holding, work: () => T): T {
  return callScope.run({ ...callScope.getStore(), holding }, work);
}
