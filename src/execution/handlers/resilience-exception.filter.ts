import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { type ResilienceError, isResilienceError } from '../../common/errors.js';
import { answerRejection } from './rejection-answers.js';

/** A {@link ResilienceError} of any copy of this library. */
abstract class AnyResilienceError {
  static [Symbol.hasInstance](error: unknown): boolean {
    return isResilienceError(error);
  }
}

/**
 * Answers the library's own rejections on handlers without policies that call protected services. HTTP clients get the
 * status, a body with `code`, and `Retry-After`; callers of a microservice get `{ code, retryAfterMs }`; WebSocket
 * clients get an `exception` event with both; GraphQL clients get both as `extensions`. (Rejections that leave a decorated
 * handler do not need the filter; those by a guard, a middleware, or an interceptor further out do.)
 *
 * Register it once with `APP_FILTER` or `app.useGlobalFilters()`, and with `@UseFilters()` on gateways, which have no
 * global filters. Filters of your own on the method or the controller come first. Of global ones, the one registered last
 * comes first: list this one after a catch-all.
 *
 * @example
 * \@Module({ providers: [{ provide: APP_FILTER, useClass: ResilienceExceptionFilter }] })
 */
@Catch(AnyResilienceError)
export class ResilienceExceptionFilter implements ExceptionFilter<ResilienceError> {
  /** Answers the client. */
  catch(error: ResilienceError, host: ArgumentsHost): Observable<never> | undefined {
    return answerRejection(error, host);
  }
}
