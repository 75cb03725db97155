import { AsyncLocalStorage } from 'node:async_hooks';
import { Module } from '@nestjs/common';
import { firstValueFrom, of as just } from 'rxjs';
import { TimeoutError, constant, fallbackValue } from '../src/index.js';
import { closeAll } from './support/boot.js';
import { bootService, commandOf, down, hang } from './support/commands.js';
import { Visits, deferred, outcome } from './support/wait.js';

afterEach(closeAll);

describe('execute()', () => {
  it('runs with a context and the arguments, by identity, on each attempt', async () => {
    const { service, clock } = await bootService();
    const seen: unknown[][] = [];
    const search = service.command('search', {
      run: async (context, words: string, filter: object) => {
        seen.push([context.name, context.attempt, words, filter]);
        if (seen.length < 3) throw new Error('down');
        return seen;
      },
      retry: { backoff: constant('1s') },
    });
    const filter = {};
    const result = search.execute('sea', filter);
    await clock.advance(2_000);
    await expect(result).resolves.toBe(seen);
    expect(seen).toEqual([
      ['search', 1, 'sea', filter],
      ['search', 2, 'sea', filter],
      ['search', 3, 'sea', filter],
    ]);
    for (const each of seen) expect(each[3]).toBe(filter);
  });

  it('begins at once', async () => {
    const { service } = await bootService();
    const visits = new Visits();
    const command = commandOf(service, { circuitBreaker: {}, bulkhead: 1, timeout: '1s' });
    const result = command.execute(() => visits.visit());
    expect(visits.count).toBe(1);
    await expect(result).resolves.toBe(1);
  });

  it('returns a promise of the result', async () => {
    const { service } = await bootService();
    const command = commandOf(service, {});
    const book = { title: 'Moby Dick' };
    const result = command.execute(() => book);
    expect(result).toBeInstanceOf(Promise);
    await expect(result).resolves.toBe(book);
    await expect(command.execute(async () => book)).resolves.toBe(book);
    await expect(command.execute(() => undefined)).resolves.toBeUndefined();
  });

  it('throws any error unchanged', async () => {
    const { service } = await bootService();
    const command = commandOf(service, { circuitBreaker: {}, timeout: '1s', bulkhead: 1 });
    for (const thrown of [new Error('down'), undefined, null, 'text', { code: 1 }] as unknown[]) {
      const atOnce = outcome(
        command.execute(() => {
          throw thrown;
        }),
      );
      expect((await atOnce).error).toBe(thrown);
      expect((await outcome(command.execute(() => Promise.reject(thrown)))).error).toBe(thrown);
    }
  });

  it('explains the problem when an Observable is returned', async () => {
    const { service } = await bootService();
    await expect(commandOf(service, {}).execute(() => just(1))).rejects.toThrow(
      'books returned a stream; make a promise of it, such as with firstValueFrom(), or decorate a method that returns it',
    );
  });

  it('runs a call that has waited in its own async context', async () => {
    const { service } = await bootService();
    const storage = new AsyncLocalStorage<string>();
    const first = deferred();
    const command = commandOf(service, { bulkhead: { maxConcurrent: 1, maxQueue: 1 } });
    const one = storage.run('one', () => command.execute(() => first.promise));
    const two = storage.run('two', () => command.execute(() => storage.getStore()));
    first.resolve();
    await one;
    await expect(two).resolves.toBe('two');
  });

  it('has all its policies, in the canonical order', async () => {
    const { service } = await bootService();
    const command = commandOf(service, {
      bulkhead: 3,
      timeout: { attempt: '1s', total: '5s' },
      circuitBreaker: { failureRate: 0.3 },
      retry: { maxRetries: 1 },
      fallback: fallbackValue('none'),
    });
    expect(command.describe()).toEqual({
      name: 'books',
      stages: [
        'fallback',
        'total timeout',
        'retry',
        'circuit breaker',
        'attempt timeout',
        'bulkhead',
      ],
      policies: [
        { kind: 'bulkhead', options: { maxConcurrent: 3 } },
        { kind: 'timeout', options: { attempt: '1s', total: '5s' } },
        { kind: 'circuitBreaker', options: { failureRate: 0.3 } },
        { kind: 'retry', options: { maxRetries: 1 } },
        { kind: 'fallback', options: { handler: fallbackValue('none') } },
      ],
    });
    expect(command.snapshot()).toMatchObject({
      name: 'books',
      circuitBreaker: { name: 'books', limits: { failureRate: 0.3 } },
      bulkhead: { name: 'books', maxConcurrent: 3 },
      attemptTimeoutMs: 1_000,
      maxConcurrentFallbacks: undefined,
    });
  });

  it('has no policy that it was not given', async () => {
    const { service, registry, bulkheads, clock } = await bootService();
    const command = commandOf(service, { retry: undefined, bulkhead: undefined });
    expect(command.describe()).toEqual({ name: 'books', stages: [], policies: [] });
    expect(command.snapshot()).toMatchObject({ circuitBreaker: undefined, bulkhead: undefined });
    expect([...registry, ...bulkheads]).toEqual([]);
    const work = deferred<string>();
    const result = command.execute(() => work.promise);
    await clock.advance(1e9);
    work.resolve('at last');
    await expect(result).resolves.toBe('at last');
  });

  it('shows no breaker if there is one per key', async () => {
    const { service, registry } = await bootService();
    const command = service.command('books', {
      run: (_context, host: string) => host,
      circuitBreaker: { key: (host: string) => host },
    });
    await command.execute('a');
    await command.execute('b');
    expect(command.snapshot().circuitBreaker).toBeUndefined();
    expect(registry.names()).toEqual(['books[a]', 'books[b]']);
  });
});

describe('the signal of the context', () => {
  it('is created on first access only', async () => {
    let made = 0;
    const Original = globalThis.AbortController;
    class Counted extends Original {
      constructor() {
        super();
        made += 1;
      }
    }
    const { service, clock } = await bootService();
    const command = commandOf(service, {
      retry: { maxRetries: 1, backoff: constant('1s') },
      timeout: { attempt: '1s', total: '10s' },
      bulkhead: { maxConcurrent: 1, maxQueue: 1 },
      circuitBreaker: {},
      fallback: fallbackValue('none'),
    });
    globalThis.AbortController = Counted;
    try {
      await command.execute(() => 1);
      const retried = command.execute(down);
      const waiting = command.queue(({ attempt }) => attempt);
      await clock.advance(10_000);
      await Promise.all([retried, waiting.result]);
      await command.execute(({ name }) => name);
      await firstValueFrom(command.observe(() => 1));
      expect(made).toBe(0);
      await command.execute(({ signal }) => signal.aborted);
      await command.execute((context) => [context.signal, context.signal]);
      expect(made).toBe(2);
    } finally {
      globalThis.AbortController = Original;
    }
  });

  it('is one per attempt, aborted with the reason when the attempt times out', async () => {
    const { service, clock } = await bootService();
    const signals: AbortSignal[] = [];
    const command = commandOf(service, {
      timeout: '1s',
      retry: { maxRetries: 1, backoff: constant(1) },
    });
    const result = command.execute((context) => {
      signals.push(context.signal);
      expect(context.signal).toBe(context.signal);
      return signals.length === 1 ? hang() : 'second';
    });
    await clock.advance(1_001);
    await expect(result).resolves.toBe('second');
    const [first, second] = signals as [AbortSignal, AbortSignal];
    expect(first.aborted).toBe(true);
    expect(first.reason).toBeInstanceOf(TimeoutError);
    expect(second).not.toBe(first);
    expect(second.aborted).toBe(false);
  });

  it('is already aborted on first access after its attempt was abandoned', async () => {
    const { service } = await bootService();
    const asked = deferred();
    const seen = deferred<AbortSignal>();
    const handle = commandOf(service, {}).queue(async (context) => {
      await asked.promise;
      seen.resolve(context.signal);
    });
    handle.cancel('why');
    asked.resolve();
    expect(await seen.promise).toMatchObject({ aborted: true, reason: 'why' });
  });
});

it('two applications in one process keep their commands apart', async () => {
  @Module({})
  class Part {}
  const [one, two] = [
    await bootService({}, { imports: [Part] }),
    await bootService({}, { imports: [Part] }),
  ];
  const policies = { circuitBreaker: { consecutiveFailures: 1 } };
  await outcome(commandOf(one.service, policies).execute(down));
  expect(commandOf(one.service, policies).snapshot().circuitBreaker?.state).toBe('open');
  expect(commandOf(two.service, policies).snapshot().circuitBreaker?.state).toBe('closed');
});
