import { AsyncLocalStorage } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
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
  value,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { settle } from './support/wait.js';

const request = new AsyncLocalStorage<{ readonly user: string }>();

const as = <T>(user: string, work: () => T): T => request.run({ user }, work);

const hanging = (): Promise<string> => new Promise(() => {});

@Injectable()
class Books {
  readonly aborted: (string | undefined)[] = [];

  @Timeout({ attempt: 100, total: 250 })
  @Retry({ maxRetries: 1, backoff: constant(10) })
  @Fallback(value('none'))
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

describe('what is told for a call is told in its own async context', () => {
  it('of a method: timeouts, retries, attempts, fallbacks and the abort of its signal', async () => {
    const { books, clock, told } = await setUp();
    const calls = ['alice', 'bob'].map((user) => as(user, () => books.list()));
    await clock.advance(1_000);
    expect(await Promise.all(calls)).toEqual(['none', 'none']);
    for (const user of ['alice', 'bob']) {
      expect(told.filter(([, whose]) => whose === user).map(([type]) => type)).toEqual([
        'timeout',
        'attempt',
        'retry',
        'timeout',
        'attempt',
        'retries-exhausted',
        'fallback',
      ]);
    }
    expect(told.filter(([, whose]) => whose === undefined)).toEqual([]);
    expect(books.aborted.sort()).toEqual(['alice', 'alice', 'bob', 'bob']);
  });

  it('of a command that is defined inside of a request, for whoever calls it', async () => {
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

  it('when the total time is over while it waits for another attempt', async () => {
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

  it('once, when the caller goes because of the timeout', async () => {
    const { resilience, clock, told } = await setUp();
    const controller = new AbortController();
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
    controller.abort();
    expect(told.filter(([type]) => type === 'timeout')).toEqual([['timeout', 'alice']]);
  });
});

describe('the context of a request', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;

  /** Whether what a request has put into its context is let go when it has ended. */
  async function isLetGo(work: () => Promise<unknown>): Promise<boolean> {
    let context: WeakRef<object> | undefined;
    await (async () => {
      const store = { user: 'alice', body: Buffer.alloc(1_000_000) };
      context = new WeakRef(store);
      await request.run(store, work);
    })();
    for (let turn = 0; turn < 20 && context!.deref() !== undefined; turn++) {
      await settle();
      collect();
    }
    return context!.deref() === undefined;
  }

  it.each<[string, (resilience: ResilienceService, books: Books) => Promise<unknown>]>([
    ['the first call of a method', (_resilience, books) => settle().then(() => void books)],
    [
      'a command that was defined in it and lives on',
      async (resilience) => {
        const command = resilience.command('kept', { run: async () => 'ok', timeout: '1h' });
        kept.push(command);
        return command.execute();
      },
    ],
    [
      'a command whose retry waits in it',
      async (resilience) => {
        let calls = 0;
        const command = resilience.command('retried', {
          run: async () => {
            if (++calls === 1) throw new Error('down');
            return 'ok';
          },
          retry: { backoff: constant(0) },
          timeout: '1h',
        });
        kept.push(command);
        return command.execute();
      },
    ],
    [
      'a command that has waited for its place',
      async (resilience) => {
        const command = resilience.command('queued', {
          run: async () => 'ok',
          bulkhead: { maxConcurrent: 1, maxQueue: 1, maxWait: '1h' },
        });
        kept.push(command);
        return Promise.all([command.execute(), command.execute()]);
      },
    ],
  ])('is let go after %s', async (_what, work) => {
    const { app } = await boot({ providers: [Books], resilience: { clock: undefined as never } });
    expect(await isLetGo(() => work(app.get(ResilienceService), app.get(Books)))).toBe(true);
  });

  const kept: unknown[] = [];
});
