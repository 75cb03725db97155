import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { ContextIdFactory, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { Observable, catchError } from 'rxjs';
import { isResilienceError } from '../common/errors.js';
import { callScope } from '../pipeline/call-report.js';
import { HandlerCall, rawResponseOf } from './handler-call.js';
import { RUNTIME_REF, RuntimeRef } from './runtime-ref.js';
import type { Runtime } from './runtime.js';
import { type Site, siteOf } from './site.js';
import { deliver } from './streams.js';

/**
 * Carries out requests to decorated handlers (HTTP, RPC, WebSocket, GraphQL) with the handler's policies, which
 * so cover inner interceptors and pipes too, and stops when the client has gone. Tells HTTP clients when to come
 * back (`Retry-After`) after any rejection of ours, wherever it was made.
 */
@Injectable()
export class ResilienceInterceptor implements NestInterceptor {
  constructor(
    @Inject(RUNTIME_REF) private readonly ref: RuntimeRef,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const site = siteOf(context.getHandler());
    const { runtime } = this.ref;
    const answer =
      site === undefined || runtime === undefined
        ? (next.handle() as Observable<unknown>)
        : this.carryOut(site, runtime, context, next);
    if (context.getType() !== 'http') return answer;
    return answer.pipe(
      catchError((error: unknown) => {
        this.sayWhenToRetry(context, error);
        throw error;
      }),
    );
  }

  private carryOut(
    site: Site,
    runtime: Runtime,
    context: ExecutionContext,
    next: CallHandler,
  ): Observable<unknown> {
    const { pipeline } = runtime.planFor(site, context.getClass());
    const reports = callScope.getStore()?.reports; // here: the subscriber may be in another async context
    const instance = (): object | Promise<object> => this.instanceOf(context);
    const handle = (): Observable<unknown> => next.handle();
    return new Observable((subscriber) => {
      const call = new HandlerCall(site, context, handle, instance, runtime.clock, reports);
      pipeline.run(call).then(
        (value) => deliver(value, subscriber),
        (error: unknown) => subscriber.error(error),
      );
      return () => call.abort(new Error('unsubscribed'));
    });
  }

  /** The controller, when a fallback method is needed: Nest does not tell interceptors. */
  private instanceOf(context: ExecutionContext): object | Promise<object> {
    const type = context.getClass();
    try {
      return this.moduleRef.get<object>(type, { strict: false });
    } catch {
      const contextId = ContextIdFactory.getByRequest(requestOf(context));
      return this.moduleRef.resolve<object>(type, contextId, { strict: false });
    }
  }

  private sayWhenToRetry(context: ExecutionContext, error: unknown): void {
    if (!isResilienceError(error) || error.retryAfterMs === undefined) return;
    if (rawResponseOf(context)?.headersSent) return;
    const seconds = Math.max(1, Math.ceil(error.retryAfterMs / 1_000));
    const response: unknown = context.switchToHttp().getResponse();
    this.adapterHost.httpAdapter.setHeader(response, 'Retry-After', String(seconds));
  }
}

/** What Nest takes the request scope from. */
function requestOf(context: ExecutionContext): Record<string, unknown> {
  const args = context.getArgs<Record<string, unknown>[]>();
  return (context.getType() === 'http' ? args[0] : args[1]) ?? {};
}
