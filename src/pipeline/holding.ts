import { callScope } from './call-scope.js';

/**
 * A part that a running call holds, such as the probe of a breaker, made known to the calls that are made inside of
 * it. Only calls that hold something pay for it: their work runs in an async context of its own.
 */
export class Holding {
  /** @param outer what the call, and the calls around it, hold already */
  constructor(
    private part: object | undefined,
    readonly outer: Holding | undefined,
  ) {}

  /** The part is given back. Work that goes on in the context holds nothing any more, and keeps nothing alive. */
  end(): void {
    this.part = undefined;
  }

  holds(part: object): boolean {
    return this.part === part || (this.outer?.holds(part) ?? false);
  }
}

/** Whether the code that runs now was called by a call that holds `part`. */
export function isInside(part: object): boolean {
  return callScope.getStore()?.holding?.holds(part) ?? false;
}
