import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { type CallReport, withReport } from 'nest-resilience';
import type { ServerResponse } from 'node:http';
import { from, lastValueFrom, map, type Observable } from 'rxjs';

/** Shows clients in `Cache-Status` (RFC 9211) and `Age` whether the books are live or stale, and their age. */
@Injectable()
export class CacheStatusInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const response = context.switchToHttp().getResponse<ServerResponse>();
    return from(withReport(() => lastValueFrom(next.handle()))).pipe(
      map(({ value, calls }) => {
        const call = calls.at(-1);
        if (call !== undefined) {
          setHeaders(response, call);
        }
        return value;
      }),
    );
  }
}

function setHeaders(response: ServerResponse, { source, ageMs = 0 }: CallReport): void {
  if (source !== 'stale') {
    // Live, or from a fallback that keeps nothing: not from the cache.
    response.setHeader('Cache-Status', `booksvc; fwd=miss; detail=${source}`);
    return;
  }
  const age = Math.floor(ageMs / 1_000);
  response.setHeader('Age', String(age));
  // Stale answers are never fresh, only better than an error, so their time to live is 0.
  response.setHeader('Cache-Status', `booksvc; hit; ttl=${-age}; detail=stale`);
}
