import { setImmediate } from 'node:timers/promises';

/** The bytes in use. Whatever was closed before is let go of in turns, so that it does not count as negative weight. */
export async function memory() {
  for (let left = 5; left > 0; left--) {
    await setImmediate();
    globalThis.gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
