import { CompiledLibrary, outputOf } from './support/child-process.js';

/** Runs in a process of its own: these timers replace those of the whole process. */
const script = `
import 'reflect-metadata';
import { strict as assert } from 'node:assert';
import { test, mock } from 'node:test';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceModule, ResilienceService, constant } from './index.js';

const realSetTimeout = globalThis.setTimeout;
const settle = async () => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};
const hanging = () => new Promise<string>(() => {});

async function main() {
  class AppModule {}
  Module({ imports: [ResilienceModule.forRoot()] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const { command } = app.get(ResilienceService);
  const define = command.bind(app.get(ResilienceService));
  let answer: () => Promise<string> = hanging;
  let retried = 0;
  const slow = define('slow', { run: () => answer(), timeout: 100 });
  const again = define('again', {
    run: async () => { retried += 1; throw new Error('down'); },
    retry: { maxRetries: 1, backoff: constant(200) },
  });
  const ended = (call: Promise<string>) => {
    const end = { code: '' };
    call.then((value) => (end.code = value), (error) => (end.code = error.code ?? error.message));
    return end;
  };
  const inRealTime = (end: { code: string }) => new Promise<void>((resolve) => {
    const look = () => (end.code ? resolve() : realSetTimeout(look, 2));
    look();
  });

  for (const apis of [['setTimeout', 'Date'], ['setTimeout'], ['setTimeout', 'setInterval', 'setImmediate', 'Date']] as const) {
    const tick = async (ms: number) => {
      mock.timers.tick(ms);
      if ((apis as readonly string[]).includes('setImmediate')) for (let i = 0; i < 20; i++) await null;
      else await settle();
    };
    for (let round = 0; round < 3; round++) {
      // Real ones first, or after a round under fakes.
      answer = async () => 'ok';
      assert.equal(await slow.execute(), 'ok');
      answer = hanging;
      const across = ended(slow.execute());

      mock.timers.enable({ apis: [...apis] });
      const under = ended(slow.execute());
      await tick(80);
      if ((apis as readonly string[]).includes('Date')) assert.equal(under.code, '', String(apis));
      await tick(25);
      // Without its date, these timers do not tell how late it is when one of them fires. The two calls share a timer, which is
      // set again for the second one unless they began in the same millisecond, and a tick does not run what it has set itself.
      for (let more = 0; more < 2 && !(apis as readonly string[]).includes('Date'); more++) await tick(75);
      assert.equal(under.code, 'TIMEOUT', 'under ' + apis);
      assert.equal(across.code, 'TIMEOUT', 'across ' + apis);

      retried = 0;
      const waits = ended(again.execute());
      await tick(0);
      assert.equal(retried, 1);
      await tick(300);
      assert.equal(retried, 2);
      assert.equal(waits.code, 'down');

      const left = ended(slow.execute());
      mock.timers.reset();
      await inRealTime(left);
      assert.equal(left.code, 'TIMEOUT', 'left ' + apis);

      // Off and on again, with nothing in between.
      answer = async () => 'ok';
      mock.timers.enable({ apis: [...apis] });
      assert.equal(await slow.execute(), 'ok');
      mock.timers.reset();
      mock.timers.enable({ apis: [...apis] });
      answer = hanging;
      const second = ended(slow.execute());
      await tick(200);
      assert.equal(second.code, 'TIMEOUT', 'second ' + apis);

      // A long step of time is not a blocked event loop.
      const third = ended(slow.execute());
      await tick(10_000);
      assert.equal(third.code, 'TIMEOUT', 'third ' + apis);
      mock.timers.reset();
    }
  }
  await app.close();
  console.log('done');
}
void main();
`;

describe('the timers of node:test', () => {
  let library: CompiledLibrary;

  beforeAll(() => {
    library = new CompiledLibrary();
  });
  afterAll(() => library.remove());

  it('may be switched on and off at any moment, with any of them replaced', async () => {
    expect(await outputOf(library.run('node-test', script))).toContain('done');
  }, 30_000);
});
