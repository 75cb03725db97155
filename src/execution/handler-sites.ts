import type { DecoratedMethod } from './decorated-method.js';
import { decoratedMethodOf } from './decorated-method.js';
import { INTERCEPTORS, type MessageStream, messageStreamOf } from './handlers.js';
import type { MethodPlan } from './plan.js';
import type { Runtime } from './runtime.js';

/** A decorated handler of one controller, with everything that its requests share. */
export interface HandlerSite {
  readonly decorated: DecoratedMethod;
  readonly plan: MethodPlan;
  /** `undefined` when it is request-scoped. */
  readonly controller: unknown;
  /** Whether the handler's outcome is the method's: no other interceptor of the method is between them. */
  readonly direct: boolean;
  /** Of gRPC. */
  readonly messages: MessageStream | undefined;
}

/** The sites of one application, each made at its first request. */
export class HandlerSites {
  private readonly sites = new WeakMap<Function, Map<Function, HandlerSite>>();

  constructor(private readonly runtime: Runtime) {}

  /** `undefined` when the handler is not decorated. */
  of(handler: Function, type: Function): HandlerSite | undefined {
    return this.sites.get(type)?.get(handler) ?? this.find(handler, type);
  }

  private find(handler: Function, type: Function): HandlerSite | undefined {
    const decorated = decoratedMethodOf(handler);
    if (decorated === undefined) return undefined;
    const interceptors = (Reflect.getMetadata(INTERCEPTORS, handler) ?? []) as unknown[];
    const messages = messageStreamOf(handler);
    const site: HandlerSite = {
      decorated,
      plan: this.runtime.planner.planFor(decorated, type),
      controller: this.runtime.controllerOf(type),
      // With a stream of messages, it matters whether the method has answered: see HandlerCall.wantsAnotherAttempt().
      direct: interceptors.length === 1 && messages === undefined,
      messages,
    };
    let ofType = this.sites.get(type);
    if (ofType === undefined) this.sites.set(type, (ofType = new Map<Function, HandlerSite>()));
    ofType.set(handler, site);
    return site;
  }
}
