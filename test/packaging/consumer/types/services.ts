// Commands, pipelines, `wrap()`, live changes and `createFetch()`.
import {
  CircuitOpenError,
  type Command,
  type ResilienceService,
  exponential,
  fallbackValue,
  hystrix,
  staleIfError,
} from 'nest-resilience';

interface Book {
  readonly title: string;
}

declare const resilience: ResilienceService;
declare function load(shelf: string, page?: number): Promise<Book[]>;

export class Accepted {
  // Compiles: a command, its arguments and its result
  readonly books: Command<[shelf: string, page?: number], Book[]> = resilience.command('books', {
    run: (_context, shelf: string, page?: number) => load(shelf, page),
    retry: { maxRetries: 2, backoff: exponential() },
    timeout: '1s',
    bulkhead: 10,
    circuitBreaker: 'storagesvc',
    fallback: () => [],
  });

  // Compiles: a fallback with the arguments of the work
  readonly spared = resilience.command('spared', {
    run: ({ signal, attempt }, shelf: string) => (signal.aborted ? [] : [shelf, attempt]),
    fallback: (context, shelf) => [shelf.toUpperCase(), context.attempts],
  });

  // Compiles: a fallback that gives nothing, and a key of the arguments
  readonly maybe: Command<[shelf: string], Book[] | undefined> = resilience.command('maybe', {
    run: (_context, shelf: string) => load(shelf),
    fallback: () => undefined,
    circuitBreaker: { key: (shelf) => shelf.toUpperCase() },
  });

  // Compiles: the policies of a preset
  readonly preset = resilience.command('preset', {
    run: (_context, shelf: string) => load(shelf),
    ...hystrix({ maxConcurrentRequests: 5, fallback: () => [] }),
  });

  // Compiles: other fallbacks of a command
  readonly stale = resilience.command('stale', {
    run: (): Promise<Book[]> => load('new'),
    fallback: {
      handler: [
        { on: [CircuitOpenError], handler: staleIfError({ ttl: '1h' }) },
        { handler: fallbackValue<Book[]>([]) },
      ],
      maxConcurrent: 2,
    },
  });

  // Compiles: a command with the policies of a pipeline
  readonly piped = resilience.command('piped', { run: () => load('new'), pipeline: 'storagesvc' });

  // Compiles: what a command gives
  async use(): Promise<Book[]> {
    const handle = this.books.queue('new', 1);
    handle.cancel(new Error('no longer wanted'));
    const first: Book | undefined = (await this.books.execute('new')).at(0);
    this.books.observe('old').subscribe((books) => books.map(({ title }) => title));
    return first === undefined ? handle.result : [first];
  }

  // Compiles: a wrapped function keeps its arguments and its result
  readonly wrapped: (shelf: string, page?: number) => Promise<Book[]> = resilience
    .pipeline('storagesvc')
    .wrap(load);

  // Compiles: a wrapped function that keeps `this`
  readonly title: (this: Book) => Promise<number> = resilience
    .pipeline('storagesvc')
    .wrap(function (this: Book) {
      return this.title.length;
    });

  // Compiles: a pipeline of options, in an order
  readonly pipeline = resilience.pipeline('own', {
    retry: { maxRetries: 1 },
    bulkhead: { maxConcurrent: 5 },
    order: ['bulkhead', 'retry'],
  });

  // Compiles: one call of a pipeline
  readonly once: Promise<Book[]> = this.pipeline.execute(
    ({ signal }) => load(String(signal.aborted)),
    {
      signal: AbortSignal.timeout(1000),
    },
  );

  // Compiles: live changes, and taking them back
  change(): void {
    resilience.configure('*', { retry: { maxRetries: 1 }, timeout: '1s' });
    resilience.configure('Books.search', { circuitBreaker: { enabled: false } }, { by: 'ops' });
    resilience.configure('books', { bulkhead: null });
    resilience.configure('books', null, { reason: 'over' });
  }

  // Compiles: a fetch of its own
  readonly fetch: typeof globalThis.fetch = resilience.createFetch({
    name: 'books',
    retryMethods: ['GET', 'PUT'],
    timeout: { attempt: '1s', total: '5s' },
    fetch: (input, init) => fetch(input, init),
  });
}

const accepted = new Accepted();

// @ts-expect-error a command without its work: `{ retry` Property 'run' is missing in type
resilience.command('books', { retry: {} });

// @ts-expect-error a command without a name: `command(` Expected 2 arguments, but got 1
resilience.command({ run: () => 1 });

resilience.command('books', {
  run: () => 1,
  // @ts-expect-error an option that the retry does not have: `attempts: 3` 'attempts' does not exist in type 'RetryOptions
  retry: { attempts: 3 },
});

resilience.command('books', {
  run: () => 1,
  // @ts-expect-error a policy that does not exist: `circuitbreaker:` 'circuitbreaker' does not exist in type 'CommandDefinition
  circuitbreaker: {},
});

resilience.command('books', {
  run: () => 1,
  // @ts-expect-error a wrong unit: `attempt: '2sec'` Type '"2sec"' is not assignable to type 'Duration
  timeout: { attempt: '2sec' },
});

resilience.command('books', {
  run: (_context, shelf: string) => load(shelf),
  // @ts-expect-error a fallback of another result: `fallback:` Type '() => number' is not assignable to type 'CommandFallback
  fallback: () => 1,
});

resilience.command('books', {
  run: (_context, shelf: string) => load(shelf),
  // @ts-expect-error a fallback with other arguments: `fallback:` Type 'string' is not assignable to type 'number
  fallback: (_context, shelf: number) => load(String(shelf)),
});

resilience.command('books', {
  run: () => load('new'),
  // @ts-expect-error the name of a method as a command's fallback: `fallback: 'spare'` Type 'string' is not assignable to type 'CommandFallback
  fallback: 'spare',
});

resilience.command('books', {
  run: () => load('new'),
  // @ts-expect-error a value of another type: `fallback: fallbackValue` Type 'ValueFallback<number>' is not assignable to type 'CommandFallback
  fallback: fallbackValue(1),
});

resilience.command('books', {
  run: (_context, shelf: string) => load(shelf),
  // @ts-expect-error a key of other arguments: `key:` Type '(shelf: number) => number' is not assignable to type 'KeyOf
  circuitBreaker: { key: (shelf: number) => shelf },
});

// @ts-expect-error an argument of another type: `1` Argument of type 'number' is not assignable to parameter of type 'string
void accepted.books.execute(1);

// @ts-expect-error a missing argument: `queue()` Expected 1-2 arguments, but got 0
accepted.books.queue();

// @ts-expect-error one argument too many: `true` Expected 1-2 arguments, but got 3
accepted.books.observe('new', 1, true);

// @ts-expect-error a result of another type: `count: Promise` Type 'Promise<Book[]>' is not assignable to type 'Promise
export const count: Promise<number> = accepted.books.execute('new');

// @ts-expect-error the result of a handle is a promise: `books: Book` Type 'Promise<Book[]>' is missing the following properties from type 'Book[]
export const books: Book[] = accepted.books.queue('new').result;

// @ts-expect-error a state that a handle cannot have: `accepted.books.queue('new')` comparison appears to be unintentional
export const done: boolean = accepted.books.queue('new').state === 'done';

// @ts-expect-error an argument that the wrapped function does not take: `1` Argument of type 'number' is not assignable to parameter of type 'string
void accepted.wrapped(1);

// @ts-expect-error a wrapped function without its this: `accepted.title` The 'this' context of type 'Accepted' is not assignable
void accepted.title();

// @ts-expect-error a value in the place of a function: `load('new')` Argument of type 'Promise<Book[]>' is not assignable to parameter of type
resilience.pipeline('storagesvc').wrap(load('new'));

// @ts-expect-error options of wrap(): `{ timeout` Expected 1 arguments, but got 2
resilience.pipeline('storagesvc').wrap(load, { timeout: '1s' });

// @ts-expect-error an option of another policy in a pipeline: `maxRetries: 1` 'maxRetries' does not exist in type 'BulkheadOptions
resilience.pipeline('own', { bulkhead: { maxRetries: 1 } });

// @ts-expect-error a stage that does not exist: `'timeout'` Type '"timeout"' is not assignable to type
resilience.pipeline('own', { order: ['timeout', 'retry'] });

// @ts-expect-error a patch of an option that does not exist: `retries: 1` 'retries' does not exist in type 'RetryOptions
resilience.configure('*', { retry: { retries: 1 } });

// @ts-expect-error a patch of a policy that does not exist: `breaker:` 'breaker' does not exist in type 'Patch
resilience.configure('*', { breaker: { enabled: false } });

// @ts-expect-error false in the place of { enabled: false }: `retry: false` Type 'false' has no properties in common with type 'RetryOptions'
resilience.configure('*', { retry: false });

// @ts-expect-error a change without a patch: `configure('*')` Expected 2-3 arguments, but got 1
resilience.configure('*');

// @ts-expect-error a class as the target: `Accepted` Argument of type 'typeof Accepted' is not assignable to parameter of type 'string
resilience.configure(Accepted, { retry: {} });

// @ts-expect-error a note of another form: `who: 'ops'` 'who' does not exist in type 'PatchNote
resilience.configure('*', null, { who: 'ops' });

// @ts-expect-error a method as a text: `retryMethods: 'GET'` Type 'string' is not assignable to type 'readonly string[]
resilience.createFetch({ retryMethods: 'GET' });

// @ts-expect-error an option of axios: `connect: '1s'` 'connect' does not exist in type 'TimeoutOptions
resilience.createFetch({ timeout: { connect: '1s' } });

// @ts-expect-error a request in the place of the URL: `{ url` Argument of type '{ url: string; }' is not assignable to parameter of type 'string
void resilience.fetch({ url: 'https://books.example' });
