import { types } from 'node:util';

/** The parts of a result that JSON would lose. */
export interface Losses {
  /** Parts that JSON cannot restore, or would reveal though their class hides them: a reason not to keep the result. */
  readonly lost: string | undefined;
  /** Parts that come back in another form. */
  readonly changed: string | undefined;
}

/**
 * The losses of a result in JSON, which JSON does not report: it drops classes, and with them what a serializer of theirs
 * (`ClassSerializerInterceptor` with `@Exclude()`) would hide, and the contents of maps and sets. Dates become strings.
 *
 * @param result must have no cycles: what `JSON.stringify` has taken
 */
export function lossesOf(result: unknown): Losses {
  let changed: string | undefined;
  const lost = look(result);
  return { lost, changed };

  function look(value: unknown): string | undefined {
    if (typeof value === 'number' && !Number.isFinite(value)) changed ??= String(value);
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value)) return first(value);
    if (types.isDate(value)) {
      changed ??= 'a Date';
      return undefined;
    }
    if (!isPlain(value)) return `an instance of ${nameOf(value)}`;
    // Its own word about what it is as JSON.
    if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return undefined;
    for (const name in value) {
      const found = look((value as Record<string, unknown>)[name]);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  function first(values: readonly unknown[]): string | undefined {
    for (const value of values) {
      const found = look(value);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** An object of no class, in any realm: `fetch` makes its JSON in Node's own, which Jest's is not. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  return (
    Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
  );
}

function nameOf(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  return (typeof constructor === 'function' && constructor.name) || 'an unnamed class';
}
