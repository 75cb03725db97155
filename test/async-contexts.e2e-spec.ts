import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  constant,
  Fallback,
  type ResilienceEvent,
  ResilienceEvents,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  fallbackValue,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { CompiledLibrary, outputOf } from './support/child-process.js';

const request = new AsyncLocalStorage<{ readonly user: string }>();

const as = <T>(user: string, work: () => T): T => request.run({ user }, work);

const hanging = (): Promise<string> => new Promise(() => {});

@Injectable()
class Books {
  readonly aborted: (string | undefined)[] = [];

  @Timeout({ attempt: 100, total: 250 })
  @Retry({ maxRetries: 1, backoff: constant(10) })
  @Fallback(fallbackValue('none'))
  async list(@Signal() signal?: AbortSignal): Promise<string> {
    signal!.addEventListener('abort', () => this.aborted.push(request.getStore()?.user));
    return hanging();
  }

  @Timeout({ total: 100 })
  @Retry({ backoff: constant(50), maxRetries: 10 })
  async failing(): Promise<string> {
    throw new Error('down');
  }

  @Timeout(100)
  async quick(): Promise<string> {
    return hanging();
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 5, maxWait: 100 })
  async crowded(): Promise<string> {
    return hanging();
  }
}

afterEach(closeAll);

async function setUp(): Promise<{
  books: Books;
  resilience: ResilienceService;
  clock: Awaited<ReturnType<typeof boot>>['clock'];
  told: [string, string | undefined][];
}> {
  const { app, clock } = await boot({ providers: [Books] });
  const told: [string, string | undefined][] = [];
  app
    .get(ResilienceEvents)
    .subscribe(({ type }: ResilienceEvent) => told.push([type, request.getStore()?.user]));
  return { books: app.get(Books), resilience: app.get(ResilienceService), clock, told };
}

const outcome = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error: { code?: string }) => error.code);

describe('events and callbacks of a call run in its own async context', () => {
  it('of a method: timeouts, retries, attempts, fallbacks and the abort of its signal', async () => {
    const { books, clock, told } = await setUp();
    const calls = ['alice', 'bob'].map((user) => as(user, () => books.list()));
    await clock.advance(1_000);
    expect(await Promise.all(calls)).toEqual(['none', 'none']);
    for (const user of ['alice', 'bob']) {
      expect(told.filter(([, whose]) => whose === user).map(([type]) => type)).toEqual([
        'call-start',
        'attempt-start',
        'timeout',
        'attempt',
        'retry',
        'attempt-start',
        'timeout',
        'attempt',
        'retries-exhausted',
        'fallback',
        'call-end',
      ]);
    }
    expect(told.filter(([, whose]) => whose === undefined)).toEqual([]);
    expect(books.aborted.sort()).toEqual(['alice', 'alice', 'bob', 'bob']);
  });

  it('of a command that is defined inside a request, for any caller', async () => {
    const { resilience, clock, told } = await setUp();
    const command = as('alice', () => resilience.command('slow', { run: hanging, timeout: 100 }));
    const first = outcome(as('alice', () => command.execute()));
    const second = outcome(as('bob', () => command.execute()));
    const nobodys = outcome(command.execute());
    await clock.advance(100);
    expect(await Promise.all([first, second, nobodys])).toEqual(['TIMEOUT', 'TIMEOUT', 'TIMEOUT']);
    expect(told.filter(([type]) => type === 'timeout').map(([, user]) => user)).toEqual([
      'alice',
      'bob',
      undefined,
    ]);
  });

  it('when the total time is up while it waits for another attempt', async () => {
    const { books, clock, told } = await setUp();
    const slow = outcome(as('alice', () => books.failing()));
    await clock.advance(40);
    const later = outcome(as('bob', () => books.failing()));
    await clock.advance(1_000);
    await Promise.all([slow, later]);
    expect(told.every(([, user]) => user !== undefined)).toBe(true);
  });

  it('when it has waited too long for a place', async () => {
    const { books, clock, told } = await setUp();
    void as('alice', () => books.crowded());
    const waiting = ['bob', 'carol'].map((user) => outcome(as(user, () => books.crowded())));
    await clock.advance(100);
    expect(await Promise.all(waiting)).toEqual(['BULKHEAD_FULL', 'BULKHEAD_FULL']);
    expect(told.filter(([type]) => type === 'rejected')).toEqual([
      ['rejected', 'bob'],
      ['rejected', 'carol'],
    ]);
  });

  it('once, when the work obeys its signal', async () => {
    const { resilience, clock, told } = await setUp();
    const command = resilience.command('slow', {
      run: ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('stopped')));
        }),
      timeout: 100,
    });
    const handle = as('alice', () => command.queue());
    void handle.result.catch(() => {});
    await clock.advance(100);
    expect(told.filter(([type]) => type === 'timeout')).toEqual([['timeout', 'alice']]);
  });
});

/** In a process of its own: Jest keeps errors, and with them their contexts. */
const script = `
import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { constant, ResilienceModule, ResilienceService } from './index.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const request = new AsyncLocalStorage<object>();
const kept: unknown[] = [];

async function main() {
  class AppModule {}
  Module({ imports: [ResilienceModule.forRoot()] })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const resilience = app.get(ResilienceService);

  async function isLetGo(work: () => Promise<unknown>) {
    let context: WeakRef<object>;
    await (async () => {
      const store = {};
      context = new WeakRef(store);
      await request.run(store, work);
    })();
    for (let turn = 0; turn < 10 && context!.deref() !== undefined; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    return context!.deref() === undefined;
  }

  const define = (name: string, definition: any) => {
    const command = resilience.command(name, definition);
    kept.push(command);
    return command as any;
  };
  const works: Record<string, () => Promise<unknown>> = {
    timeout: () => define('timeout', { run: async () => 'ok', timeout: '1h' }).execute(),
    'timed out': () =>
      define('timed out', { run: () => new Promise((resolve) => setTimeout(resolve, 20)), timeout: 5 })
        .execute()
        .catch(() => new Promise((resolve) => setTimeout(resolve, 30))),
    retry: () => {
      let calls = 0;
      const run = async () => {
        if (++calls === 1) throw new Error('down');
      };
      return define('retry', { run, timeout: '1h', retry: { backoff: constant(0) } }).execute();
    },
    queue: () => {
      const command = define('queue', {
        run: async () => 'ok',
        bulkhead: { maxConcurrent: 1, maxQueue: 1, maxWait: '1h' },
      });
      return Promise.all([command.execute(), command.execute()]);
    },
    breaker: () => define('breaker', { run: async () => 'ok', circuitBreaker: 'b' }).execute(),
  };
  const letGo: Record<string, boolean> = {};
  for (const [name, work] of Object.entries(works)) letGo[name] = await isLetGo(work);
  await app.close();
  console.log(JSON.stringify(letGo));
}
void main();
`;

describe('the context of a request', () => {
  it('is released when it has ended, even if a command that was defined in it lives on', async () => {
    const library = new CompiledLibrary();
    try {
      expect(JSON.parse(await outputOf(library.run('contexts', script)))).toEqual({
        timeout: true,
        'timed out': true,
        retry: true,
        queue: true,
        breaker: true,
      });
    } finally {
      library.remove();
    }
  }, 30_000);
});
