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
import { type Observable, catchError } from 'rxjs';
import { callScope } from '../pipeline/call-scope.js';
import { type DecoratedMethod, decoratedMethodOf } from './decorated-method.js';
import { HandlerCall } from './handler-call.js';
import { sayWhenToRetry } from './http-answer.js';
import { liveRuntimes } from './live-runtimes.js';
import { RUNTIME_REF, type RuntimeRef, isRuntimeRef } from './runtime-ref.js';
import type { Runtime } from './runtime.js';
import { asStream } from './streams.js';

/**
 * Carries out requests to a decorated handler (HTTP, RPC, WebSocket, GraphQL) with the handler's policies, which
 * therefore cover the method's own interceptors and pipes too, and stops when the client has gone. Tells HTTP clients
 * when to come back (`Retry-After`) after a rejection by this library, also by one made further inside.
 *
 * Decorators attach it to decorated methods alone, so other routes do not pay for it.
 */
@Injectable()
export class ResilienceInterceptor implements NestInterceptor, OnApplicationBootstrap {
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
    const decorated = decoratedMethodOf(context.getHandler());
    // Auto-mocking test tools inject something else.
    const runtime = isRuntimeRef(this.ref) ? this.ref.runtime : undefined;
    if (decorated === undefined || runtime === undefined) return next.handle();
    const answer = this.carryOut(decorated, runtime, context, next);
    if (context.getType() !== 'http') return answer;
    return answer.pipe(
      catchError((error: unknown) => {
        sayWhenToRetry(context, error);
        throw error;
      }),
    );
  }

  private carryOut(
    decorated: DecoratedMethod,
    runtime: Runtime,
    context: ExecutionContext,
    next: CallHandler,
  ): Observable<unknown> {
    const type = context.getClass();
    const { pipeline } = runtime.planner.planFor(decorated, type);
    const self = runtime.controllerOf(type);
    const reports = callScope.getStore()?.reports; // here: the subscriber may be in another async context
    const handle = (): Observable<unknown> => next.handle();
    return asStream(
      () => new HandlerCall(decorated, self, context, handle, runtime.clock, reports),
      (call) => pipeline.run(call),
    );
  }
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
  new Logger('Resilience').warn(message);
}
