import { type SignalLike, obey } from '../pipeline/abort-signals.js';

/** Lets a caller's signal stop an attempt, and reading the body of its answer, which goes on after the call. */
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

  /** The caller's signal matters as long as somebody has the body: a signal that lives long must not keep what it stops. */
  keepFor(body: object): void {
    controllers.set(body, this.controller);
    bodies.register(body, this.ignoreCaller);
  }
}

const controllers = new WeakMap<object, AbortController>();

const bodies = new FinalizationRegistry((ignoreCaller: () => void) => ignoreCaller());
