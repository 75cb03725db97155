import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Backend } from '../../sample/database/src/backend.js';

/** A thread for one or several databases. */
class PgliteThread {
  private readonly worker = new Worker(join(__dirname, 'pglite-worker.mjs'));
  private readonly waiting = new Map<number, (answer: Uint8Array) => void>();
  private last = 0;
  private databases = 0;

  constructor() {
    this.worker.on('message', ({ id, answer }: { id: number; answer: Uint8Array }) => {
      this.waiting.get(id)?.(answer);
      this.waiting.delete(id);
    });
  }

  async create(): Promise<Backend> {
    const name = (this.databases += 1);
    await this.post('create', name);
    return {
      execProtocolRaw: (message) => this.post('ask', name, message),
      close: async () => void (await this.post('close', name)),
    };
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private post(what: string, name: number, message?: Uint8Array): Promise<Uint8Array> {
    const id = (this.last += 1);
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.worker.postMessage({ id, what, name, message });
    });
  }
}

let thread: PgliteThread | undefined;

afterAll(async () => {
  await thread?.end();
  thread = undefined;
});

/** An empty PGlite. */
export async function startPglite(): Promise<Backend> {
  thread ??= new PgliteThread();
  return thread.create();
}
