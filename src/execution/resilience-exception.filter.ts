import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';
import { type ResilienceError, isResilienceError } from '../common/errors.js';
import { answer, sayWhenToRetry } from './http-answer.js';

/** A {@link ResilienceError} of any copy of this library. */
abstract class AnyResilienceError {
  static [Symbol.hasInstance](error: unknown): boolean {
    return isResilienceError(error);
  }
}

/** The part of a WebSocket client that is used here, as by Nest's own filter. */
interface Emitter {
  emit?(event: 'exception', payload: object): unknown;
}

/**
 * Answers the library's own rejections on handlers without policies that call protected services. HTTP clients get the
 * status, a body with `code`, and `Retry-After`; callers of a microservice get `{ code, retryAfterMs }`; WebSocket
 * clients get an `exception` event with both. (A rejection that leaves a decorated HTTP handler has all that without it,
 * but not one by a guard, a middleware, or an interceptor further out.)
 *
 * Register it once with `APP_FILTER` or `app.useGlobalFilters()`, and with `@UseFilters()` on gateways, which have no
 * global filters. Filters of your own that stand nearer, on the method or the controller, come first. Of global ones the
 * last that was registered does: list this one after a catch-all.
 *
 * @example
 * \@Module({ providers: [{ provide: APP_FILTER, useClass: ResilienceExceptionFilter }] })
 */
@Catch(AnyResilienceError)
export class ResilienceExceptionFilter implements ExceptionFilter<ResilienceError> {
  /** Answers the client. On other transports, such as GraphQL, it returns nothing, and Nest throws the error on. */
  catch(error: ResilienceError, host: ArgumentsHost): Observable<never> | undefined {
    const { code, retryAfterMs } = error;
    switch (host.getType()) {
      case 'http':
        sayWhenToRetry(host, error);
        answer(host, error.getStatus(), error.getResponse());
        return undefined;
      case 'rpc':
        return throwError(() => ({ code, retryAfterMs }));
      case 'ws': {
        const { error: message } = error.getResponse() as { readonly error: string };
        const payload = { status: 'error', message, code, retryAfterMs };
        host.switchToWs().getClient<Emitter>().emit?.('exception', payload);
        return undefined;
      }
      default:
        return undefined;
    }
  }
}
