import type { DecoratedMethod } from '../methods/decorated-method.js';
import { decoratedMethodOf } from '../methods/decorated-method.js';
import { INTERCEPTORS, eventPatternsOf, messageStreamOf } from './handler-kinds.js';
import type { MethodPlan } from '../plan.js';
import type { Runtime } from '../runtime.js';

/** A decorated handler of one controller, with everything that its requests share. */
export interface HandlerSite {
  readonly decorated: DecoratedMethod;
  readonly plan: MethodPlan;
  /** `undefined` when it is request-scoped. */
  readonly controller: unknown;
  /** Whether the handler's outcome is the method's: no other interceptor of the method is between them. */
  readonly direct: boolean;
  /** Whether it handles events, whose senders get no answer. */
  readonly takesEvents: boolean;
  /** Whether its client sends a stream of messages (gRPC). */
  readonly takesMessages: boolean;
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
    const site: HandlerSite = {
      decorated,
      plan: this.runtime.planner.planFor(decorated, type),
      controller: this.runtime.controllerOf(type),
      direct: interceptors.length === 1,
      takesEvents: eventPatternsOf(handler) !== undefined,
      takesMessages: messageStreamOf(handler) !== undefined,
    };
    let ofType = this.sites.get(type);
    if (ofType === undefined) this.sites.set(type, (ofType = new Map<Function, HandlerSite>()));
    ofType.set(handler, site);
    return site;
  }
}
