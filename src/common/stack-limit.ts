/**
 * Limits the stack traces of errors that are made until {@link restoreStacks}.
 *
 * @param frames how many they have at most
 * @returns the limit to restore; `undefined` when it cannot be changed (frozen, deleted, guarded)
 */
export function limitStacks(frames: number): number | undefined {
  try {
    const limit: unknown = Error.stackTraceLimit;
    if (typeof limit !== 'number') return undefined;
    Error.stackTraceLimit = frames;
    return limit;
  } catch {
    return undefined;
  }
}

/** @param limit of {@link limitStacks} */
export function restoreStacks(limit: number): void {
  try {
    Error.stackTraceLimit = limit;
  } catch {
    // it has become read-only meanwhile
  }
}
