// Commands and pipelines that the compiler must accept or reject: part of the type check, never run.
import type { Observable } from 'rxjs';
import {
  type CallContext,
  type Command,
  type CommandHandle,
  type FallbackContext,
  type FallbackHandler,
  type ResilienceService,
  hystrix,
  hystrixGo,
  staleIfError,
  fallbackValue,
} from '../../src/index.js';

interface Book {
  readonly title: string;
}

declare class Archive implements FallbackHandler<readonly [string], Book[]> {
  handle(context: FallbackContext, words: string): Promise<Book[]>;
}

declare class Census implements FallbackHandler<readonly [string], number> {
  handle(context: FallbackContext, words: string): number;
}

declare const resilience: ResilienceService;
declare const fetchBooks: (signal: AbortSignal) => Promise<Book[]>;

const run = async (_context: CallContext, _words: string, _page?: number): Promise<Book[]> => [];

type Same<A, B> = [A, B] extends [B, A] ? true : false;
function check<_ extends true>(): void {}

export const search = resilience.command('search', { run, timeout: '1s' });
check<Same<typeof search, Command<[words: string, page?: number], Book[]>>>();
check<Same<Parameters<typeof search.execute>, [words: string, page?: number]>>();
check<Same<Parameters<typeof search.queue>, [words: string, page?: number]>>();
check<Same<Parameters<typeof search.observe>, [words: string, page?: number]>>();
check<Same<ReturnType<typeof search.execute>, Promise<Book[]>>>();
check<Same<ReturnType<typeof search.queue>, CommandHandle<Book[]>>>();
check<Same<ReturnType<typeof search.observe>, Observable<Book[]>>>();

export const plain = resilience.command('plain', {
  run: ({ attempt }, times: number) => attempt * times,
});
check<Same<Parameters<typeof plain.execute>, [times: number]>>();
check<Same<ReturnType<typeof plain.execute>, Promise<number>>>();

export const pipeline = resilience.pipeline('storagesvc');
export const titles = pipeline.wrap((book: Book, pages?: number) => book.title.slice(pages));
check<Same<Parameters<typeof titles>, [book: Book, pages?: number]>>();
check<Same<ReturnType<typeof titles>, Promise<string>>>();
export const work = pipeline.execute(
  async ({ signal, attempt, name }) => [signal, attempt, name] as const,
);
check<Same<typeof work, Promise<readonly [AbortSignal, number, string]>>>();

export function accepted(): void {
  resilience.command('value', { run, fallback: fallbackValue([]) });
  resilience.command('value', { run, fallback: fallbackValue([{ title: '' }]) });
  resilience.command('function', { run, fallback: () => [] });
  resilience.command('function', { run, fallback: async (_context, title) => [{ title }] });
  resilience.command('class', { run, fallback: Archive });
  resilience.command('stale', { run, fallback: staleIfError({ ttl: '10m' }) });
  resilience.command('list', {
    run,
    fallback: [
      { on: [TypeError], handler: () => [] },
      { on: [RangeError], handler: Archive },
      { handler: fallbackValue([]) },
    ],
  });
  resilience.command('options', {
    run,
    fallback: { handler: Archive, maxConcurrent: 3, on: [TypeError], skip: [RangeError] },
  });
  resilience.command('options', {
    run,
    fallback: { handler: (_context: FallbackContext, title: string) => [{ title }] },
  });
  resilience.command('options', {
    run,
    fallback: { handler: (_context, title) => [{ title }] },
  });
  resilience.command('inline', {
    run: async (_context, id: number) => ({ title: String(id) }),
    fallback: (_context, id) => ({ title: id.toFixed() }),
  });
  resilience.command('inline', {
    run: ({ signal }, _id: number): Promise<Book[] | undefined> => fetchBooks(signal),
    fallback: () => undefined,
  });
  resilience.command('hystrix', { run: ({ signal }) => fetchBooks(signal), ...hystrix() });
  resilience.command('hystrix', { run, ...hystrix({ fallback: fallbackValue([]) }) });
  resilience.command('hystrix', { run, ...hystrix({ fallback: Archive, ignore: [TypeError] }) });
  resilience.command('go', {
    run: () => 'up',
    ...hystrixGo({ timeout: 1000, fallback: () => '' }),
  });
  resilience.command('all', {
    run,
    timeout: { attempt: '1s', total: '5s' },
    retry: { maxRetries: 2 },
    circuitBreaker: 'storagesvc',
    bulkhead: 10,
    pipeline: 'storagesvc',
  });
  resilience.pipeline('all', {
    timeout: '1s',
    bulkhead: 3,
    order: ['bulkhead', 'attempt timeout'],
  });
  resilience.pipeline('hystrix', {
    ...hystrix({ fallback: fallbackValue([]) }),
    order: ['fallback'],
  });
}

export class Reader {
  private readonly library = 'central';
  readonly find = pipeline.wrap(function (this: Reader, title: string) {
    return `${this.library}: ${title}`;
  });
}

export async function refused(): Promise<void> {
  // @ts-expect-error an argument of another type
  await search.execute(1);
  // @ts-expect-error no argument
  search.queue();
  // @ts-expect-error an argument too many
  search.observe('', 1, 2);
  // @ts-expect-error another result
  const _one: Promise<number> = search.execute('');
  // @ts-expect-error the result of a handle is a promise
  const _books: Book[] = search.queue('').result;

  // @ts-expect-error a value of another type
  resilience.command('value', { run, fallback: fallbackValue(1) });
  // @ts-expect-error a function of another result
  resilience.command('function', { run, fallback: () => 1 });
  // @ts-expect-error a function of other parameters
  resilience.command('function', { run, fallback: (_context: FallbackContext, _id: number) => [] });
  // @ts-expect-error a class of another result
  resilience.command('class', { run, fallback: Census });
  // @ts-expect-error a method name works only on decorated methods
  resilience.command('method', { run, fallback: 'none' });
  // @ts-expect-error a list with a function of another result
  resilience.command('list', { run, fallback: [{ handler: () => 1 }] });
  // @ts-expect-error Hystrix' fallback of another result
  resilience.command('hystrix', { run, ...hystrix({ fallback: fallbackValue(1) }) });
  // @ts-expect-error options without a handler
  resilience.command('options', { run, fallback: { maxConcurrent: 3 } });

  // @ts-expect-error nothing to run
  resilience.command('nothing', { timeout: '1s' });
  // @ts-expect-error an unknown policy
  resilience.command('unknown', { run, retries: 3 });
  // @ts-expect-error an unknown option
  resilience.command('unknown', { run, retry: { attempts: 3 } });
  // @ts-expect-error the order belongs to a pipeline
  resilience.command('order', { run, order: ['retry'] });
  // @ts-expect-error an unknown stage
  resilience.pipeline('order', { retry: {}, order: ['retries'] });

  // @ts-expect-error an argument of another type
  await pipeline.wrap((title: string) => title)(1);
  // @ts-expect-error without its this
  await (0, new Reader().find)('');
}
