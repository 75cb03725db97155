import { AsyncLocalStorage } from 'node:async_hooks';
import { shared } from '../common/brand.js';
import type { ReportSink } from './call-report.js';
import type { HandlerAttempt } from './handler-attempt.js';
import type { Holding } from './holding.js';

/**
 * The surroundings that a protected call finds in its async context. Work that is started in the context keeps this object
 * alive, so each of its parts drops its reference to the call when the call ends.
 */
export interface CallScope {
  /** The attempt of a handler that an interceptor is carrying out. */
  readonly handler?: HandlerAttempt | undefined;
  readonly reports?: ReportSink | undefined;
  /** The parts that the surrounding calls hold. */
  readonly holding?: Holding | undefined;
}

/** Shared by all copies of the package in this process. */
export const callScope = shared('call-scope', () => new AsyncLocalStorage<CallScope>());
