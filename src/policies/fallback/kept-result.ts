import { types } from 'node:util';

/** The first parts found in a result that JSON would lose or change. */
export interface Losses {
  /** A part that JSON cannot restore, or would reveal although its class hides it: a reason not to keep the result. */
  readonly lost: string | undefined;
  /** A part that comes back in another form. */
  readonly changed: string | undefined;
}

/**
 * The silent losses of a result in JSON. JSON drops classes, so that a serializer (`ClassSerializerInterceptor` with
 * `@Exclude()`) no longer hides what it should, and the contents of maps and sets. Dates become strings.
 *
 * @param result without cycles: `JSON.stringify` has accepted it
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
    // A plain object that defines its own JSON.
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

/** Whether it is a plain object of any realm: under Jest, the JSON of `fetch` comes from another realm than the test. */
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
