import type { Call } from '../../pipeline/call.js';
import type { FallbackContext } from './handler.js';

/** Returned instead of an answer when there is none: the call keeps its error. */
export const NO_ANSWER = Symbol('no answer');

/** One way to answer a failed call. */
export interface Answer {
  /** The name of the handler in events. */
  readonly label: string;
  answer(call: Call, context: FallbackContext): unknown;
  /** Whether it stores results under the name of the subject. */
  readonly storesResults?: boolean;
  /** Whether it distinguishes results by the arguments alone, so that several instances or definitions need a `key`. */
  readonly needsKey?: boolean;
  /** Called with each call that has a good, live result. */
  store?(call: Call): void;
}
