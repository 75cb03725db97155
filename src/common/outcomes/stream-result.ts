/** A result that is a stream. Only its beginning is known, so it counts as a success. */
export abstract class StreamResult {}

/** `instanceof` asks a proxy for its prototype, which may throw. */
export function isStreamResult(value: unknown): value is StreamResult {
  try {
    return value instanceof StreamResult;
  } catch {
    return false;
  }
}
