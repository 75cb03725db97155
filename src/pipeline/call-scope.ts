import { AsyncLocalStorage } from 'node:async_hooks';
import { shared } from '../common/brand.js';
import type { ReportSink } from './call-report.js';
import type { Call, Substitute } from './call.js';
import type { Holding } from './holding.js';

/** What protected calls made further down can know of where they are made. */
export interface CallScope {
  /** The handler's call that an interceptor is carrying out: calls made by the handler end with it. */
  readonly call?: Call | undefined;
  /** The method whose policies that interceptor owns … */
  readonly owned?: unknown;
  /** … until the method has run: a second call of it is a call of its own. */
  claimed: boolean;
  /** Whether that attempt of the handler has ended: what is begun later is on its own. */
  over: boolean;
  /** Why that attempt has been given up, if it has: nothing more is to be begun. */
  givenUp?: { readonly error: unknown } | undefined;
  /** What runs instead of that method: its fallback. */
  readonly substitute?: Substitute | undefined;
  readonly reports?: ReportSink | undefined;
  /** The parts that the calls around hold. */
  readonly holding?: Holding | undefined;
}

/** One for all copies of the package in this process. */
export const callScope = shared('call-scope', () => new AsyncLocalStorage<CallScope>());

/** Has a call that is made in a scope tell there how it went, and end with the handler's call. */
export function joinScope(call: Call, { reports, call: parent, over, givenUp }: CallScope): void {
  call.reports = reports;
  if (parent !== undefined && !over) call.follow(parent, givenUp);
}
