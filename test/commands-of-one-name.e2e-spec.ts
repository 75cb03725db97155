import { Inject, Injectable, Scope } from '@nestjs/common';
import {
  BulkheadFullError,
  type Command,
  RESILIENCE_SERVICE,
  ResilienceService,
  fallbackValue,
} from '../src/index.js';
import { closeAll } from './support/boot.js';
import { bootService, commandOf, down, problemsBy } from './support/commands.js';
import { deferred } from './support/wait.js';

afterEach(closeAll);

describe('commands of the same name', () => {
  const policies = {
    circuitBreaker: { consecutiveFailures: 2 },
    bulkhead: { maxConcurrent: 2, maxQueue: 0 },
  };

  it('share their breaker, their bulkhead and their numbers; each has its own functions', async () => {
    const { service } = await bootService();
    const one = service.command('books', {
      run: async (_context, words: string): Promise<string> => `one: ${words}`,
      fallback: ({ error }, words: string) => `not one: ${words}, ${(error as Error).name}`,
      ...policies,
    });
    const two = service.command('books', {
      run: async (_context, id: number): Promise<number> => (id < 0 ? down() : id),
      fallback: (_context, id: number) => -id,
      ...policies,
    });
    await expect(one.execute('sea')).resolves.toBe('one: sea');
    await expect(two.execute(2)).resolves.toBe(2);
    await expect(two.execute(-2)).resolves.toBe(2);
    await expect(two.execute(-3)).resolves.toBe(3);
    await expect(one.execute('sea')).resolves.toBe('not one: sea, CircuitOpenError');
    expect(one.snapshot()).toEqual(two.snapshot());
    expect(one.snapshot()).toMatchObject({
      circuitBreaker: { state: 'open' },
      metrics: {
        counts: {
          success: 2,
          failure: 2,
          rejected: { circuitOpen: 1 },
          fallback: { success: 3 },
        },
      },
    });
  });

  it('share the places of their bulkhead', async () => {
    const { service } = await bootService();
    const [one, two] = [commandOf(service, policies), commandOf(service, policies)];
    const work = deferred();
    const running = [one.execute(() => work.promise), two.execute(() => work.promise)];
    await expect(one.execute(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    await expect(two.execute(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    expect(one.snapshot().bulkhead).toMatchObject({ running: 2, rejected: 2 });
    work.resolve();
    await Promise.all(running);
  });

  it('keep their functions, even those in options of the fallback', async () => {
    const { service } = await bootService();
    const command = (answer: string): Command =>
      service.command('books', {
        run: down,
        fallback: { handler: () => answer, maxConcurrent: 1 },
      });
    const [one, two] = [command('one'), command('two')];
    await expect(two.execute()).resolves.toBe('two');
    await expect(one.execute()).resolves.toBe('one');
  });

  it('may be made by each instance of a request-scoped provider', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Shelf {
      private static made = 0;
      readonly number = ++Shelf.made;
      readonly book: Command<[], string>;
      constructor(@Inject(RESILIENCE_SERVICE) service: ResilienceService) {
        this.book = service.command('book', {
          run: async () => (this.number === 3 ? down() : `from ${this.number}`),
          fallback: () => `none of ${this.number}`,
          ...policies,
        });
      }
    }
    const { app, service } = await bootService({}, { providers: [Shelf] });
    const shelves = [await app.resolve(Shelf), await app.resolve(Shelf), await app.resolve(Shelf)];
    const books: string[] = [];
    for (const { book } of shelves) books.push(await book.execute());
    expect(books).toEqual(['from 1', 'from 2', 'none of 3']);
    expect([...service.commands()].map(({ name }) => name)).toEqual(['book']);
    expect([...service.commands()][0]!.snapshot().metrics.counts).toMatchObject({
      success: 2,
      failure: 1,
    });
  });

  it('are listed once', async () => {
    const { service } = await bootService();
    commandOf(service, policies);
    commandOf(service, policies);
    commandOf(service, {}, 'films');
    expect([...service.commands()].map(({ name }) => name)).toEqual(['books', 'films']);
  });

  it.each([
    [
      'another one',
      { retry: { maxRetries: 1 }, timeout: '1s' },
      { retry: { maxRetries: 2 }, timeout: '1s' },
      'retry is { maxRetries: 1 } there and { maxRetries: 2 } here',
    ],
    [
      'one more',
      { timeout: '1s' },
      { timeout: '1s', bulkhead: 3 },
      'bulkhead is undefined there and { maxConcurrent: 3 } here',
    ],
    [
      'several others',
      { timeout: '1s', circuitBreaker: 'a' },
      { timeout: '2s', circuitBreaker: 'b' },
      `timeout is { attempt: '1s' } there and { attempt: '2s' } here, circuitBreaker is { name: 'a' } there and { name: 'b' } here`,
    ],
    [
      'another limit of the fallback',
      { fallback: { handler: () => 1, maxConcurrent: 1 } },
      { fallback: { handler: () => 1, maxConcurrent: 2 } },
      'fallback is { handler: [Function: fallback], maxConcurrent: 1 } there and { handler: [Function: fallback], maxConcurrent: 2 } here',
    ],
    [
      'another value for a fallback',
      { fallback: fallbackValue(1) },
      { fallback: fallbackValue(2) },
      `fallback is { handler: { kind: 'value', value: 1 } } there and { handler: { kind: 'value', value: 2 } } here`,
    ],
  ] as const)('with other options are refused: %s', async (_, one, two, difference) => {
    const { service } = await bootService();
    commandOf(service, one);
    expect(problemsBy(() => commandOf(service, two))).toEqual([
      `command 'books': is already defined with different options: ${difference}; repeat them, or choose another name`,
    ]);
  });

  it('with another pipeline are refused', async () => {
    const { service } = await bootService({ pipelines: { a: {}, b: {} } });
    commandOf(service, { pipeline: 'a' });
    for (const pipeline of ['b', undefined]) {
      expect(problemsBy(() => commandOf(service, { pipeline }))).toEqual([
        expect.stringContaining(`pipeline is 'a' there and ${pipeline ? "'b'" : undefined} here`),
      ]);
    }
  });

  it('may use the long form where another one uses the shorthand', async () => {
    const { service } = await bootService();
    commandOf(service, {
      bulkhead: 3,
      timeout: '1s',
      circuitBreaker: 'a',
      fallback: fallbackValue(1),
    });
    const command = commandOf(service, {
      bulkhead: { maxConcurrent: 3 },
      timeout: { attempt: '1s' },
      circuitBreaker: { name: 'a' },
      fallback: { handler: fallbackValue(1) },
      retry: undefined,
    });
    await expect(command.execute(down)).resolves.toBe(1);
  });
});
