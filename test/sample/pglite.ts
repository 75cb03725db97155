import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Backend } from '../../sample/database/src/backend.js';

/** A PGlite in a worker. */
export async function startPglite(): Promise<Backend> {
  const worker = new Worker(join(__dirname, 'pglite-worker.mjs'));
  const waiting = new Map<number, (answer: Uint8Array) => void>();
  await once(worker, 'message');
  worker.on('message', ({ id, answer }: { id: number; answer: Uint8Array }) => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  let last = 0;
  return {
    execProtocolRaw: (message) => {
      last += 1;
      worker.postMessage({ id: last, message });
      return new Promise((resolve) => waiting.set(last, resolve));
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
