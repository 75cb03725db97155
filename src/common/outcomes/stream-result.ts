import { brand } from '../brand.js';
import type { Outcome } from './outcome.js';

const BRAND = brand('stream-result');

/** A result that is a stream. Only its beginning is known, so it counts as a success. */
export abstract class StreamResult {
  readonly [BRAND] = true;
  /** The answer that has the stream as its body; `undefined` for a stream without one. */
  readonly whole: object | undefined = undefined;
}

/** The outcome of a result by a rule. The rule sees no streams, only answers that have one as their body. */
export function outcomeOfResult(result: unknown, rule: (result: unknown) => Outcome): Outcome {
  if (!isStreamResult(result)) return rule(result);
  return result.whole === undefined ? 'success' : rule(result.whole);
}

/** Of any copy of the package: the policies of one judge the calls of another. Never throws. */
export function isStreamResult(value: unknown): value is StreamResult {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return (value as Partial<StreamResult>)[BRAND] === true;
  } catch {
    return false; // a proxy that throws
  }
}
