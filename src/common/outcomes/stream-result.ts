import type { Outcome } from './outcome.js';

/** A result that is a stream. Only its beginning is known, so it counts as a success. */
export abstract class StreamResult {
  /** The answer that has the stream as its body; `undefined` for a stream without one. */
  readonly whole: object | undefined = undefined;
}

/** The outcome of a result by a rule. The rule sees no streams, only answers that have one as their body. */
export function outcomeOfResult(result: unknown, rule: (result: unknown) => Outcome): Outcome {
  if (!isStreamResult(result)) return rule(result);
  return result.whole === undefined ? 'success' : rule(result.whole);
}

/** `instanceof` asks a proxy for its prototype, which may throw. */
export function isStreamResult(value: unknown): value is StreamResult {
  try {
    return value instanceof StreamResult;
  } catch {
    return false;
  }
}
