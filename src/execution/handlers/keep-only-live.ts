import type { CallHandler } from '@nestjs/common';
import { Observable, from, mergeAll } from 'rxjs';
import { requireFunction } from '../../common/given.js';
import { look } from '../../common/outcomes/look.js';
import { show } from '../../common/printable.js';
import { Liveness } from '../../pipeline/liveness.js';

/** Thrown into a caching interceptor in place of an answer that must not be stored. */
class NotLive extends Error {
  override readonly name = 'NotLive';

  constructor() {
    super('the answer is not live: it bypasses this interceptor');
  }
}

/** The result of an interceptor. */
type Intercepted = Observable<unknown> | Promise<Observable<unknown>>;

/**
 * Runs an interceptor that stores answers, such as Nest's `CacheInterceptor`, so that it only sees live ones: an answer with
 * a contribution from a fallback or an earlier result bypasses it and goes to the caller. The interceptor gets an error in
 * its place.
 *
 * For interceptors on a controller and global ones. On a decorated handler, Nest's `CacheInterceptor` and its subclasses
 * are run in this way automatically.
 *
 * @param intercept runs the interceptor with the handler that is passed to it
 * @throws {TypeError} when an argument is wrong
 *
 * @example
 * \@Injectable()
 * class LiveCacheInterceptor extends CacheInterceptor {
 *   override async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
 *     return keepOnlyLive(next, (live) => super.intercept(context, live));
 *   }
 * }
 */
export function keepOnlyLive(
  next: CallHandler,
  intercept: (live: CallHandler) => Intercepted,
): Observable<unknown> {
  if (typeof look(next, 'handle') !== 'function') {
    throw new TypeError(
      `keepOnlyLive(): next is ${show(next)}; use the CallHandler of intercept()`,
    );
  }
  requireFunction('keepOnlyLive()', 'the interceptor', intercept);
  return new Observable((caller) => {
    const liveness = new Liveness();
    /** Whether the stream bypasses the interceptor from now on. */
    let around = false;
    const handle = (): Observable<unknown> =>
      new Observable((inside) => {
        const source = liveness.watch(() =>
          next.handle().subscribe({
            next: (value) => {
              if (!around && !liveness.live) {
                around = true;
                inside.error(new NotLive());
              }
              (around ? caller : inside).next(value);
            },
            error: (error: unknown) => (around ? caller : inside).error(error),
            complete: () => (around ? caller : inside).complete(),
          }),
        );
        caller.add(source);
        return () => {
          if (!around) source.unsubscribe();
        };
      });
    const through = from(Promise.resolve(intercept({ handle }))).pipe(mergeAll());
    return through.subscribe({
      next: (value) => caller.next(value),
      error: (error: unknown) => {
        if (!around) caller.error(error);
      },
      complete: () => {
        if (!around) caller.complete();
      },
    });
  });
}
