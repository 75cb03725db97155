import { Catch, type ExceptionFilter } from '@nestjs/common';
import { shared } from '../../common/brand.js';
import type { ResilienceError } from '../../common/errors.js';
import { FILTERS, markAsOurs } from './application-filters.js';
import { type DecoratedMethod, decoratedMethodOf } from '../methods/decorated-method.js';
import { isMessageHandler } from './handler-kinds.js';
import { answerRejection } from './rejection-answers.js';

/** The rejections that the filter of a handler has to answer. The filter and the interceptor may be of two copies. */
const expected = shared('expected-rejections', () => new WeakMap<object, WeakSet<object>>());

/** Functions that have the filter. */
const equipped = shared('equipped-handlers', () => new WeakSet<Function>());

/**
 * Gives a decorated handler of messages a filter that answers its rejections: Nest's own filters reveal nothing about them to
 * callers of microservices and clients of gateways. It is the first filter of the method, so Nest asks it last among those,
 * and it only catches the errors that {@link leaveToFilter} leaves to it.
 */
export function attachFilter(handler: Function): void {
  const decorated = decoratedMethodOf(handler);
  if (decorated === undefined || equipped.has(handler) || !isMessageHandler(handler)) return;
  equipped.add(handler);
  const others = (Reflect.getOwnMetadata(FILTERS, handler) ?? []) as unknown[];
  Reflect.defineMetadata(FILTERS, [filterOf(expectedOf(decorated)), ...others], handler);
}

/** Tells the filter of a handler whether a rejection is its to answer. */
export function leaveToFilter(
  decorated: DecoratedMethod,
  error: ResilienceError,
  ours: boolean,
): void {
  const errors = expectedOf(decorated);
  if (ours) errors.add(error);
  else errors.delete(error);
}

function expectedOf(decorated: DecoratedMethod): WeakSet<object> {
  const known = expected.get(decorated);
  if (known !== undefined) return known;
  const errors = new WeakSet<object>();
  expected.set(decorated, errors);
  return errors;
}

function filterOf(errors: WeakSet<object>): ExceptionFilter {
  /** Nest asks `instanceof`. */
  const Expected = { [Symbol.hasInstance]: (error: object): boolean => errors.has(error) };
  @Catch(Expected as never)
  class HandlerFilter implements ExceptionFilter<ResilienceError> {
    readonly catch = answerRejection;
  }
  markAsOurs(HandlerFilter);
  return new HandlerFilter();
}
