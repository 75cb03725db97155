import { setImmediate } from 'node:timers/promises';

/** The bytes in use. Waits some turns first, so that what was closed before is freed and does not count as negative weight. */
export async function memory() {
  for (let left = 5; left > 0; left--) {
    await setImmediate();
    globalThis.gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
