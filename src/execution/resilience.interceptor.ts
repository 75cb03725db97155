import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Observable, catchError } from 'rxjs';
import { isResilienceError } from '../common/errors.js';
import { callScope } from '../pipeline/call-scope.js';
import { HandlerCall, rawResponseOf } from './handler-call.js';
import { RUNTIME_REF, RuntimeRef } from './runtime-ref.js';
import type { Runtime } from './runtime.js';
import { type DecoratedMethod, decoratedMethodOf } from './decorated-method.js';
import { asStream } from './streams.js';

/**
 * Runs calls of decorated handlers (HTTP, RPC, WebSocket, GraphQL) with the handler's policies, which thus cover inner
 * interceptors and pipes too, and stops them when the client has gone. Sets `Retry-After` on HTTP answers after any of the
 * library's rejections, wherever it was made.
 */
@Injectable()
export class ResilienceInterceptor implements NestInterceptor {
  constructor(
    @Inject(RUNTIME_REF) private readonly ref: RuntimeRef,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const decorated = decoratedMethodOf(context.getHandler());
    const { runtime } = this.ref;
    const answer =
      decorated === undefined || runtime === undefined
        ? (next.handle() as Observable<unknown>)
        : this.carryOut(decorated, runtime, context, next);
    if (context.getType() !== 'http') return answer;
    return answer.pipe(
      catchError((error: unknown) => {
        this.sayWhenToRetry(context, error);
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
    const reports = callScope.getStore()?.reports; // read here, since the subscriber may be in another async context
    const handle = (): Observable<unknown> => next.handle();
    return asStream(
      () => new HandlerCall(decorated, self, context, handle, runtime.clock, reports),
      (call) => pipeline.run(call),
    );
  }

  private sayWhenToRetry(context: ExecutionContext, error: unknown): void {
    if (!isResilienceError(error) || !Number.isFinite(error.retryAfterMs)) return;
    if (rawResponseOf(context)?.headersSent) return;
    const seconds = Math.max(1, Math.ceil(error.retryAfterMs! / 1_000));
    const response: unknown = context.switchToHttp().getResponse();
    this.adapterHost.httpAdapter.setHeader(response, 'Retry-After', String(seconds));
  }
}
