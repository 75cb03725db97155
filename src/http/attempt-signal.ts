import { look } from '../common/outcomes/look.js';
import { type SignalLike, obey } from '../pipeline/abort-signals.js';

/** Lets a caller's signal stop an attempt, and the reading of its answer's body, which continues after the call. */
export class AttemptSignal {
  private readonly controller = new AbortController();
  private readonly ignoreCaller: () => void;

  /** @param ofCall aborted when the attempt has run out of time, or its call has been stopped */
  constructor(ofCall: AbortSignal, caller: SignalLike) {
    const abort = (reason: unknown): void => this.controller.abort(reason);
    if (ofCall.aborted) abort(ofCall.reason);
    else ofCall.addEventListener('abort', () => abort(ofCall.reason), { once: true });
    const controller = new WeakRef(this.controller);
    this.ignoreCaller = obey(caller, { abort: (reason) => controller.deref()?.abort(reason) });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The caller's signal no longer matters. */
  release(): void {
    this.ignoreCaller();
  }

  /** The caller's signal matters as long as the body is in use: a long-lived signal must not keep the body alive. */
  keepFor(body: object): void {
    controllers.set(body, this.controller);
    whenRead(body, this.ignoreCaller);
  }
}

/**
 * Calls `done` when a body is no longer read: at the end of a Node stream, or at the latest when the body has been
 * collected. Must not keep the body alive.
 */
export function whenRead(body: object, done: () => void): void {
  bodies.register(body, done);
  const once = look(body, 'once');
  if (typeof once === 'function') Reflect.apply(once, body, ['close', done]);
}

const controllers = new WeakMap<object, AbortController>();

const bodies = new FinalizationRegistry((done: () => void) => done());
