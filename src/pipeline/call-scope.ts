import { AsyncLocalStorage } from 'node:async_hooks';
import { shared } from '../common/brand.js';
import type { ReportSink } from './call-report.js';
import type { HandlerAttempt } from './handler-attempt.js';
import type { Holding } from './holding.js';

/**
 * The surroundings that a protected call can know of. Whatever is begun in an async context keeps its scope alive, so
 * each of these lets go of its call when that ends.
 */
export interface CallScope {
  /** The attempt of a handler that an interceptor is carrying out. */
  readonly handler?: HandlerAttempt | undefined;
  readonly reports?: ReportSink | undefined;
  /** The parts that the calls around hold. */
  readonly holding?: Holding | undefined;
}

/** One for all copies of the package in this process. */
export const callScope = shared('call-scope', () => new AsyncLocalStorage<CallScope>());
