import { types } from 'node:util';

/** Longer chains are not looked through. */
const MAX_CHAIN = 100;

/**
 * The causes that we have given. Weak: an error that is thrown again and again (a constant) holds the original of the
 * call that threw it last, until it is thrown once more, and nothing holds the error itself.
 */
const given = new WeakMap<object, { readonly cause: unknown }>();

/**
 * The fallback's own error is what the caller gets; the one that it was to answer becomes its cause where it has none
 * of its own, never in a circle. An error that is thrown again gets the cause of the call that throws it.
 */
export function withCause(thrown: unknown, original: unknown): unknown {
  try {
    if (isError(thrown)) giveCause(thrown, original);
  } catch {
    // frozen, or it cannot be looked at: it goes as it is
  }
  return thrown;
}

function giveCause(thrown: { cause?: unknown }, original: unknown): void {
  const { cause } = thrown;
  const ours = given.get(thrown);
  if (ours !== undefined && ours.cause === cause) {
    // Of a former call, whose caller is somebody else.
    delete thrown.cause;
    given.delete(thrown);
  } else if (cause !== undefined) {
    return;
  }
  if (leadsTo(original, thrown)) return;
  Object.defineProperty(thrown, 'cause', {
    value: original,
    configurable: true,
    enumerable: false,
    writable: true,
  });
  given.set(thrown, { cause: original });
}

/** Whether `error` is `end`, or has it among its causes; as good as yes when that cannot be seen. */
function leadsTo(error: unknown, end: unknown): boolean {
  let next = error;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    if (next === end) return true;
    if (typeof next !== 'object' || next === null) return false;
    next = (next as { cause?: unknown }).cause;
  }
  return true;
}

/** Errors of other realms too. */
function isError(value: unknown): value is { cause?: unknown } {
  return value instanceof Error || types.isNativeError(value);
}
