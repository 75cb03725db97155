import { AsyncResource } from 'node:async_hooks';

/** Created when the library is loaded, so that it belongs to no call. */
const outside = new AsyncResource('nest-resilience');

/**
 * Runs `run` in the async context in which the library was loaded. For everything that outlives the call that happens to
 * start it: a timer keeps the context that it was set in, with everything that a request has put there.
 */
export function outsideOfCalls<T>(run: () => T): T {
  return outside.runInAsyncScope(run);
}

/**
 * Binds `run` to the current async context. `AsyncResource.bind()` does the same, but takes ten times as long, because
 * it defines properties of the function.
 */
export function inThisContext<Args extends unknown[]>(
  run: (...args: Args) => void,
): (...args: Args) => void {
  const context = thisContext();
  return (...args) => context.runInAsyncScope(run, undefined, ...args);
}

/** The current async context. */
export function thisContext(): AsyncResource {
  return new AsyncResource('nest-resilience');
}
