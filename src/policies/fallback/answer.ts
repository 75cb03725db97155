import type { Call } from '../../pipeline/call.js';
import type { FallbackContext } from './handler.js';

/** Returned by an answer that has none: the call keeps its error. */
export const NO_ANSWER = Symbol('no answer');

/** One way to answer a failed call. */
export interface Answer {
  /** For events. */
  readonly label: string;
  answer(call: Call, context: FallbackContext): unknown;
  /** Whether it keeps results under the method's name. */
  readonly storesResults?: boolean;
  /** Whether it tells results apart by the arguments alone. */
  readonly needsKey?: boolean;
  /** Told of each good result. */
  store?(call: Call): void;
}
