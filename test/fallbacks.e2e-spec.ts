import { BadGatewayException, Injectable, NotFoundException, Scope } from '@nestjs/common';
import {
  CircuitBreaker,
  CircuitOpenError,
  type FallbackContext,
  type FallbackHandler,
  Fallback,
  Retry,
  Signal,
  Timeout,
  TimeoutError,
  constant,
  fallbackValue,
} from '../src/index.js';
import { Observable, firstValueFrom, lastValueFrom, of as just, throwError, toArray } from 'rxjs';
import { boot, closeAll, of } from './support/boot.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

interface Book {
  readonly title: string;
}

describe('a fallback that is a method', () => {
  it('gets this, the arguments and then the context', async () => {
    const given: unknown[] = [];
    const error = new Error('down');
    @Injectable()
    class S {
      readonly shelf = 'a shelf';
      @Fallback('fromShelf')
      @Retry({ maxRetries: 1, backoff: constant('1s') })
      async search(_words: string, _page: number): Promise<string> {
        throw error;
      }
      fromShelf(words: string, page: number, context: FallbackContext): string {
        given.push(words, page, context);
        return this.shelf;
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    const call = app.get(S).search('sea', 2);
    await clock.advance(1_000);
    await expect(call).resolves.toBe('a shelf');
    expect(given).toEqual(['sea', 2, { name: 'S.search', error, rejected: false, attempts: 2 }]);
    expect((given[2] as FallbackContext).error).toBe(error);
  });

  it('gets the context after the parameters that were left out, those with defaults too', async () => {
    const given: unknown[][] = [];
    @Injectable()
    class S {
      @Fallback('answer')
      async search(_words: string, _page = 1, _size?: number): Promise<void> {
        throw new Error('down');
      }
      answer(...args: unknown[]): void {
        given.push(args);
      }
    }
    const { app } = await boot({ providers: [S] });
    await app.get(S).search('sea');
    await app.get(S).search('sea', 2, 10);
    expect(given).toEqual([
      ['sea', undefined, undefined, expect.objectContaining({ name: 'S.search' })],
      ['sea', 2, 10, expect.objectContaining({ name: 'S.search' })],
    ]);
  });

  it('may be overridden in a subclass, whose version answers', async () => {
    abstract class Base {
      @Fallback('answer')
      async m(): Promise<string> {
        throw new Error('down');
      }
      answer(): string {
        return 'base';
      }
    }
    @Injectable()
    class One extends Base {}
    @Injectable()
    class Two extends Base {
      override answer(): string {
        return 'two';
      }
    }
    const { app } = await boot({ providers: [One, Two] });
    await expect(app.get(One).m()).resolves.toBe('base');
    await expect(app.get(Two).m()).resolves.toBe('two');
  });

  it('is static beside a static method', async () => {
    @Injectable()
    class S {
      @Fallback('second')
      static async first(id: number): Promise<number> {
        throw new Error(String(id));
      }

      static second(id: number): number {
        return id;
      }
    }
    await boot({ providers: [S] });
    await expect(S.first(7)).resolves.toBe(7);
  });

  it('may be protected itself', async () => {
    @Injectable()
    class S {
      @Fallback('second')
      async first(): Promise<string> {
        throw new Error('first');
      }
      @Fallback(fallbackValue('third'))
      async second(): Promise<string> {
        throw new Error('second');
      }
    }
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).first()).resolves.toBe('third');
  });
});

describe('a fallback that is', () => {
  it('a function gets the context and then the arguments', async () => {
    @Injectable()
    class S {
      @Fallback(
        ({ name, error, rejected }: FallbackContext, words: string) =>
          `${name}(${words}): ${String(error)}, ${rejected ? 'rejected' : 'failed'}`,
      )
      async search(_words: string): Promise<string> {
        throw new Error('down');
      }
    }
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).search('sea')).resolves.toBe('S.search(sea): Error: down, failed');
  });

  it('an injectable class can use other providers', async () => {
    @Injectable()
    class Archive {
      readonly books = ['an old book'];
    }
    @Injectable()
    class FromArchive implements FallbackHandler<readonly [string], string[]> {
      constructor(private readonly archive: Archive) {}
      async handle(_context: FallbackContext, words: string): Promise<string[]> {
        return [words, ...this.archive.books];
      }
    }
    @Injectable()
    class S {
      @Fallback(FromArchive)
      async search(_words: string): Promise<string[]> {
        throw new Error('down');
      }
    }
    const { app, events } = await boot({ providers: [S, FromArchive, Archive] });
    await expect(app.get(S).search('sea')).resolves.toEqual(['sea', 'an old book']);
    expect(of('fallback', events)[0]!.handler).toBe('FromArchive');
  });

  it('a request-scoped class is refused when the application starts', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      handle(): void {}
    }
    @Injectable()
    class S {
      @Fallback(PerRequest as never)
      async m(): Promise<void> {}
    }
    const { error } = await outcome(boot({ providers: [S, PerRequest] }));
    expect(String(error)).toContain('S.m @Fallback: handler is function PerRequest');
  });

  it('a value answers with that very object', async () => {
    const books: Book[] = [];
    @Injectable()
    class S {
      @Fallback(fallbackValue(books))
      async all(): Promise<Book[]> {
        throw new Error('down');
      }
    }
    const { app } = await boot({ providers: [S] });
    expect(await app.get(S).all()).toBe(books);
  });

  it('undefined as a value is an answer too', async () => {
    @Injectable()
    class S {
      @Fallback(fallbackValue(undefined))
      async m(): Promise<void> {
        throw new Error('down');
      }
    }
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).m()).resolves.toBeUndefined();
  });

  it('a stream answers a stream', async () => {
    @Injectable()
    class S {
      @Fallback(() => just('a', 'b'))
      observable(): Observable<string> {
        throw new Error('down');
      }
      @Fallback('answer')
      async *items(): AsyncGenerator<string> {
        yield await Promise.reject(new Error('down'));
      }
      async *answer(): AsyncGenerator<string> {
        yield 'c';
        yield 'd';
      }
    }
    const { app } = await boot({ providers: [S] });
    const letters = lastValueFrom(app.get(S).observable().pipe(toArray()));
    await expect(letters).resolves.toEqual(['a', 'b']);
    const items: string[] = [];
    for await (const item of app.get(S).items()) items.push(item);
    expect(items).toEqual(['c', 'd']);
  });
});

describe('a list of fallbacks', () => {
  class DatabaseError extends Error {}
  class DeadlockError extends DatabaseError {}

  @Injectable()
  class S {
    @Fallback([
      { handler: fallbackValue('anything') },
      { on: [DatabaseError], handler: fallbackValue('database') },
      { on: [DatabaseError], handler: fallbackValue('as near, but later') },
      { on: [CircuitOpenError, TimeoutError], handler: fallbackValue('rejected') },
      { on: [DeadlockError], handler: 'deadlock' },
      {
        on: [(error) => (error as Error).message === 'special'],
        handler: fallbackValue('predicate'),
      },
    ])
    async m(error: unknown): Promise<string> {
      throw error as Error;
    }
    deadlock(error: unknown): string {
      return `deadlock ${String(error)}`;
    }
  }

  it.each([
    ['the class itself', new DatabaseError('x'), 'database'],
    ['a subclass with a choice of its own', new DeadlockError('x'), 'deadlock Error: x'],
    ['another of our classes', new TimeoutError('m', 'attempt', 1), 'rejected'],
    [
      'a predicate, which is as near as can be',
      new (class extends DatabaseError {})('special'),
      'predicate',
    ],
    ['no class: the choice without any', new Error('x'), 'anything'],
    ['something that is not an error', 'text', 'anything'],
  ])('answers by the nearest class: %s', async (_, error, expected) => {
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).m(error)).resolves.toBe(expected);
  });

  it('without a choice for the error lets it through', async () => {
    @Injectable()
    class Strict {
      @Fallback([{ on: [DatabaseError], handler: fallbackValue('database') }])
      async m(): Promise<string> {
        throw new Error('other');
      }
    }
    const { app } = await boot({ providers: [Strict] });
    await expect(app.get(Strict).m()).rejects.toThrow('other');
  });
});

describe('a fallback answers', () => {
  @Injectable()
  class S {
    @Fallback(({ rejected }) => (rejected ? 'rejected' : 'failed'))
    @CircuitBreaker({ name: 'shelf', consecutiveFailures: 1 })
    @Timeout('1s')
    async m(work: () => Promise<string>): Promise<string> {
      return work();
    }

    @Fallback(fallbackValue('answer'), { skip: [BadGatewayException], on: [NotFoundException] })
    async chosen(error: unknown): Promise<string> {
      throw error;
    }
  }

  it('failures and our own rejections, including an open circuit and a timeout', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const slow = app.get(S).m(() => new Promise(() => {}));
    await clock.advance(1_000);
    await expect(slow).resolves.toBe('rejected');
    await expect(app.get(S).m(async () => 'unreached')).resolves.toBe('rejected');
    await clock.advance(5_000);
    await expect(app.get(S).m(() => Promise.reject(new Error('down')))).resolves.toBe('failed');
  });

  it.each([
    ['a 4xx', new NotFoundException()],
    ['a programmer error', new TypeError('x is not a function')],
  ])('no %s', async (_, error) => {
    const { app } = await boot({ providers: [S] });
    await expect(outcome(app.get(S).m(() => Promise.reject(error)))).resolves.toEqual({ error });
  });

  it('by on and skip', async () => {
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).chosen(new NotFoundException())).resolves.toBe('answer');
    await expect(app.get(S).chosen(new BadGatewayException())).rejects.toThrow(BadGatewayException);
  });

  it('no caller that has gone', async () => {
    let answers = 0;
    @Injectable()
    class Abortable {
      @Fallback(() => ++answers)
      async m(@Signal() signal?: AbortSignal): Promise<number> {
        await new Promise((_, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason as Error)),
        );
        return 0;
      }
    }
    const { app } = await boot({ providers: [Abortable] });
    const controller = new AbortController();
    const call = outcome(app.get(Abortable).m(controller.signal));
    controller.abort(new Error('gone'));
    expect((await call).error).toEqual(new Error('gone'));
    expect(answers).toBe(0);
  });
});

describe('a fallback that fails', () => {
  it('throws its own error, with the original one as its cause', async () => {
    const original = new Error('down');
    @Injectable()
    class S {
      @Fallback(() => {
        throw new Error('fallback');
      })
      async m(): Promise<string> {
        throw original;
      }
    }
    const { app, events } = await boot({ providers: [S] });
    const { error } = await outcome(app.get(S).m());
    expect(error).toEqual(new Error('fallback'));
    expect((error as Error).cause).toBe(original);
    expect(of('fallback', events)).toMatchObject([{ outcome: 'failure', error: original }]);
  });

  it('as a stream throws its own error too, and counts as failed', async () => {
    const original = new Error('down');
    @Injectable()
    class S {
      @Fallback(() => throwError(() => new Error('fallback')))
      m(): Observable<number> {
        return throwError(() => original);
      }
    }
    const { app, events } = await boot({ providers: [S] });
    const { error } = await outcome(firstValueFrom(app.get(S).m()));
    expect(error).toEqual(new Error('fallback'));
    expect((error as Error).cause).toBe(original);
    expect(of('fallback', events)).toMatchObject([{ outcome: 'failure', error: original }]);
  });

  it('is called once, and not retried', async () => {
    let asked = 0;
    @Injectable()
    class S {
      @Fallback(() => {
        asked += 1;
        throw new Error('fallback');
      })
      @Retry({ maxRetries: 2, backoff: constant('1s') })
      async m(): Promise<string> {
        throw new Error('down');
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    const call = outcome(app.get(S).m());
    await clock.advance(10_000);
    expect((await call).error).toEqual(new Error('fallback'));
    expect(asked).toBe(1);
  });
});
