import { types } from 'node:util';

/** Longer chains are not searched. */
const MAX_CHAIN = 100;

/**
 * The causes that were set here. Weak, so that the errors themselves are not held. An error object that is thrown again
 * and again (a constant) holds the original error of the last call that threw it, until it is thrown once more.
 */
const given = new WeakMap<object, { readonly cause: unknown }>();

/**
 * The caller gets the fallback's own error. The original error becomes its cause, unless it has one already or this
 * would make a circle. An error object that is thrown again gets the original error of the call that throws it.
 */
export function withCause(thrown: unknown, original: unknown): unknown {
  try {
    if (isError(thrown)) giveCause(thrown, original);
  } catch {
    // frozen, or unreadable: it is thrown unchanged
  }
  return thrown;
}

function giveCause(thrown: { cause?: unknown }, original: unknown): void {
  const { cause } = thrown;
  const ours = given.get(thrown);
  if (ours !== undefined && ours.cause === cause) {
    // Set for an earlier call, which may have had another caller.
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

/** Whether `error` is `end` or has it among its causes; true, to be safe, when the chain is too long. */
function leadsTo(error: unknown, end: unknown): boolean {
  let next = error;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    if (next === end) return true;
    if (typeof next !== 'object' || next === null) return false;
    next = (next as { cause?: unknown }).cause;
  }
  return true;
}

/** Also true for errors of other realms. */
function isError(value: unknown): value is { cause?: unknown } {
  return value instanceof Error || types.isNativeError(value);
}
