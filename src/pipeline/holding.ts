import { callScope } from './call-scope.js';

/**
 * A part that a running call holds, such as the probe of a breaker, made known to the calls that are made inside of
 * it. Only calls that hold something pay for it: their work runs in an async context of its own.
 */
export class Holding {
  /** The holdings of the call and of the calls around it, without those that have ended, so that no chain grows. */
  readonly outer: Holding | undefined;

  constructor(
    private part: object | undefined,
    outer: Holding | undefined,
  ) {
    this.outer = outer?.live;
  }

  /** The part is given back. Work that goes on in the context holds nothing any more, and keeps nothing alive. */
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

/** Whether the code that runs now was called by a call that holds `part`. */
export function isInside(part: object): boolean {
  return heldAround()?.holds(part) ?? false;
}

/** Runs `work` so that the calls made inside of it know of `holding`. */
export function runHolding<T>(holding: Holding, work: () => T): T {
  return callScope.run({ ...callScope.getStore(), holding }, work);
}
