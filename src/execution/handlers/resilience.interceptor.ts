import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
  type OnApplicationBootstrap,
  Optional,
} from '@nestjs/common';
import type { Observable } from 'rxjs';
import { type ResilienceError, isResilienceError } from '../../common/errors.js';
import { show } from '../../common/printable.js';
import { quietLogger } from '../../common/quiet-logger.js';
import { callScope } from '../../pipeline/call-scope.js';
import type { DecoratedMethod } from '../methods/decorated-method.js';
import { isCaughtByApplication } from './application-filters.js';
import { HandlerCall } from './handler-call.js';
import { HandlerSites } from './handler-sites.js';
import { leaveToFilter } from './handler-filters.js';
import { eventPatternsOf, isEventStream } from './handler-kinds.js';
import { rawResponseOf, sayWhenToRetry } from './http-answer.js';
import { liveRuntimes } from '../live-runtimes.js';
import { lostEvent } from './nest-caller.js';
import { RUNTIME_REF, type RuntimeRef, isRuntimeRef } from '../runtime-ref.js';
import { forGraphql, withPublicMessage } from './rejection-answers.js';
import type { Runtime } from '../runtime.js';
import { asStream } from '../streams/streams.js';

/**
 * Carries out requests to a decorated handler (HTTP, RPC, WebSocket, GraphQL) with the handler's policies, which
 * therefore cover the method's own interceptors and pipes too, and stops when the client has gone. Tells HTTP clients
 * when to come back (`Retry-After`) after a rejection by this library, also by one made further inside.
 *
 * Decorators attach it to decorated methods alone, so other routes do not pay for it.
 */
@Injectable()
export class ResilienceInterceptor implements NestInterceptor, OnApplicationBootstrap {
  private sites: HandlerSites | undefined = undefined;

  /** @param ref absent in an application without `ResilienceModule.forRoot()` */
  constructor(@Optional() @Inject(RUNTIME_REF) private readonly ref?: RuntimeRef) {}

  /** @internal */
  onApplicationBootstrap(): void {
    if (!isRuntimeRef(this.ref)) {
      // With another application in the process, its policies may apply.
      if (liveRuntimes.only === undefined) warnOnce(NO_MODULE);
    } else if (this.ref.runtime === undefined) warnOnce(NO_OPTIONS);
  }

  /** @internal */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    // Auto-mocking test tools inject something else.
    const runtime = isRuntimeRef(this.ref) ? this.ref.runtime : undefined;
    if (runtime === undefined) return next.handle();
    this.sites ??= new HandlerSites(runtime);
    const site = this.sites.of(context.getHandler(), context.getClass());
    if (site === undefined) return next.handle();
    const reports = callScope.getStore()?.reports; // here: the subscriber may be in another async context
    return asStream(
      () => new HandlerCall(site, context, next, runtime.clock, reports),
      (call, waiter) => site.plan.pipeline.runFor(call, waiter),
      (error, midway) =>
        isResilienceError(error) ? prepare(error, midway, site.decorated, context, runtime) : error,
      site.takesEvents,
    );
  }
}

/**
 * Prepares the answer to the client.
 *
 * @param midway whether it is the error of a stream that is being read already, so that no filter is asked
 * @returns what to throw
 */
function prepare(
  error: ResilienceError,
  midway: boolean,
  decorated: DecoratedMethod,
  context: ExecutionContext,
  runtime: Runtime,
): Error {
  const type = context.getType<string>();
  if (type === 'http') {
    sayWhenToRetry(context, error);
    return isSentAsEvent(context) ? withPublicMessage(error) : error;
  }
  tellOfEvent(error, context, runtime);
  const isCaught = (one: Error): boolean =>
    isCaughtByApplication(one, context, runtime.applicationConfig);
  const theirs = isCaught(error);
  if (type === 'graphql') {
    const safe = forGraphql(error);
    // A filter for exactly this class gets the rejection itself; one that catches more may pass its error on to the client.
    return theirs && !midway && !isCaught(safe) ? error : safe;
  }
  leaveToFilter(decorated, error, !theirs);
  return error;
}

/** Whether Nest sends the message of an error as an event: once the head of an event stream is sent, no filter is asked. */
function isSentAsEvent(context: ExecutionContext): boolean {
  return isEventStream(context.getHandler()) && rawResponseOf(context)?.headersSent === true;
}

/** The sender of an event gets no answer, so that the event would be lost silently. */
function tellOfEvent(error: ResilienceError, context: ExecutionContext, runtime: Runtime): void {
  const patterns = eventPatternsOf(context.getHandler());
  if (patterns === undefined) return;
  const name = `${context.getClass().name}.${context.getHandler().name}`;
  runtime.log(lostEvent(name, patterns.map(show).join(', '), error), 'warn');
}

const NO_MODULE =
  'decorated methods run without their policies: import ResilienceModule.forRoot() in the root module of the application';
const NO_OPTIONS =
  'decorated methods run without their policies: the options of ResilienceModule.forRootAsync() are request-scoped; inject nothing that is';

const warned = new Set<string>();

/** Once per process: each module of an application has an interceptor of its own. */
function warnOnce(message: string): void {
  if (warned.has(message)) return;
  warned.add(message);
  quietLogger(new Logger('Resilience')).warn(message);
}
