import { isPlainObject } from '../common/objects.js';
import { isOwnFailure } from '../common/outcomes/default-outcome.js';
import { look } from '../common/outcomes/look.js';

/** The part of an `AbortSignal` that is used here: of Node's, another realm's or a polyfill's. */
export type SignalLike = Pick<
  AbortSignal,
  'aborted' | 'addEventListener' | 'removeEventListener'
> & {
  readonly reason?: unknown;
};

/** Whether a value can be used as an `AbortSignal`. Never throws. */
export function isSignal(value: unknown): value is SignalLike {
  if (typeof value !== 'object' || value === null) return false;
  try {
    if (value instanceof AbortSignal) return true;
    const { aborted, addEventListener, removeEventListener } = value as SignalLike;
    return (
      typeof aborted === 'boolean' &&
      typeof addEventListener === 'function' &&
      typeof removeEventListener === 'function'
    );
  } catch {
    return false;
  }
}

/** The reason of an aborted signal; polyfills may have none. */
export function reasonOf(signal: SignalLike): unknown {
  const reason = look(signal, 'reason');
  // `null` is a reason: it was passed to `abort()`.
  return reason === undefined
    ? new DOMException('This operation was aborted', 'AbortError')
    : reason;
}

/**
 * Whether a signal means that its owner has gone. One that was aborted by one of our own timeouts means something else:
 * the dependency was too slow.
 */
function saysGone(value: unknown): boolean {
  return isSignal(value) && value.aborted && !isOwnFailure(value.reason);
}

/** Whether there is an aborted signal among the arguments of a call, or as `signal` of a plain object among them. */
export function callerHasGone(args: readonly unknown[]): boolean {
  for (const arg of args) {
    if (typeof arg !== 'object' || arg === null) continue;
    try {
      if (saysGone(arg) || (isPlainObject(arg) && saysGone(arg.signal))) return true;
    } catch {
      // cannot be read: counts as not aborted
    }
  }
  return false;
}

/** Something that a signal can stop. */
export interface Abortable {
  abort(reason: unknown): void;
}

/** The calls that obey a signal, which has one listener for all of them. */
interface Followers {
  readonly calls: Set<Abortable>;
  stop(): void;
}

const followersOf = new WeakMap<SignalLike, Followers>();

/**
 * Stops `call` when the signal is aborted, or at once if it is already. However many calls obey a signal, it has one
 * listener, since Node warns about more than ten. A signal whose members throw stops nothing, and breaks nothing.
 *
 * @returns a function that ends this
 */
export function obey(signal: SignalLike, call: Abortable): () => void {
  if (look(signal, 'aborted') === true) {
    call.abort(reasonOf(signal));
    return () => {};
  }
  const followers = followersOf.get(signal) ?? follow(signal);
  followers.calls.add(call);
  return () => {
    if (followers.calls.delete(call) && followers.calls.size === 0) followers.stop();
  };
}

function follow(signal: SignalLike): Followers {
  const calls = new Set<Abortable>();
  const onAbort = (): void => {
    followersOf.delete(signal);
    for (const call of calls) call.abort(reasonOf(signal));
  };
  const followers: Followers = {
    calls,
    stop() {
      followersOf.delete(signal);
      try {
        signal.removeEventListener('abort', onAbort);
      } catch {
        // it goes on listening, to nothing
      }
    },
  };
  try {
    signal.addEventListener('abort', onAbort, { once: true });
  } catch {
    // nobody hears of it
  }
  followersOf.set(signal, followers);
  return followers;
}
