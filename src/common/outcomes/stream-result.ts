/** A result of which only the beginning is known: a stream. There is nothing to decide about it but that it began. */
export abstract class StreamResult {}

/** `instanceof` asks a proxy for its prototype, which may throw. */
export function isStreamResult(value: unknown): value is StreamResult {
  try {
    return value instanceof StreamResult;
  } catch {
    return false;
  }
}
