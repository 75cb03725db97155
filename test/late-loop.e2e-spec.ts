import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { CompiledLibrary } from './support/child-process.js';

const CALLS = 40;

/** Simultaneous calls with a timeout of 1 s. @returns how they ended */
const script = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule, ResilienceService } from './index.js';

const [, , url, calls] = process.argv;

async function main() {
  class AppModule {}
  Module({ imports: [ResilienceModule.forRoot()] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const call = app.get(ResilienceService).command('answer', {
    run: async ({ signal }, path: string) => (await fetch(url + path, { signal })).text(),
    timeout: '1s',
  });
  process.on('message', () => {
    const end = Date.now() + 1500;
    while (Date.now() < end);
  });
  const ends = { answered: 0, timedOut: 0, hung: '' };
  const all = Array.from({ length: Number(calls) }, () =>
    call.execute('answers').then(
      () => void (ends.answered += 1),
      () => void (ends.timedOut += 1),
    ),
  );
  all.push(call.execute('hangs').catch((error) => void (ends.hung = error.code)));
  await Promise.all(all);
  process.send!(ends);
  process.disconnect();
}
void main();
`;

/** A server that holds all requests until the test lets it answer. */
class PatientServer {
  private readonly server: Server = createServer((request, response) => {
    this.received += 1;
    if (request.url === '/answers') this.waiting.push(response);
    if (this.received === CALLS + 1) this.complete();
  });
  private readonly waiting: ServerResponse[] = [];
  private received = 0;
  private complete!: () => void;
  readonly all = new Promise<void>((resolve) => (this.complete = resolve));

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  answer(): void {
    for (const response of this.waiting) response.end('x'.repeat(60_000));
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('answers that arrive in time while the event loop is blocked', () => {
  let library: CompiledLibrary;
  let server: PatientServer;

  beforeAll(() => {
    library = new CompiledLibrary();
  });
  afterAll(() => library.remove());
  afterEach(() => server.close());

  it.each<[string, (child: ChildProcess) => Promise<void>]>([
    [
      'the process is suspended',
      async (child) => {
        child.kill('SIGSTOP');
        server.answer();
        await pause(1_500);
        child.kill('SIGCONT');
      },
    ],
    [
      'the event loop is blocked',
      async (child) => {
        child.send('block');
        await pause(50);
        server.answer();
      },
    ],
  ])(
    'are not timeouts: %s',
    async (_how, hold) => {
      server = new PatientServer();
      const child = library.run('late-loop', script, await server.listen(), `${CALLS}`);
      const ends = once(child, 'message');
      const errors: string[] = [];
      child.stderr!.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
      child.on('exit', (code) => code && server.close());
      await Promise.race([server.all, once(child, 'exit')]);
      expect(errors).toEqual([]);
      await hold(child);
      expect((await ends)[0]).toEqual({ answered: CALLS, timedOut: 0, hung: 'TIMEOUT' });
    },
    30_000,
  );
});
