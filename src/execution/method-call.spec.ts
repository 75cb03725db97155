import { Injectable } from '@nestjs/common';
import { Observable, firstValueFrom, of as just, throwError } from 'rxjs';
import { boot, closeAll } from '../../test/support/boot.js';
import { outcome, settle } from '../../test/support/wait.js';
import { Bulkhead, Fallback, Retry, Signal, Timeout, constant } from '../index.js';

afterEach(closeAll);

@Injectable()
class Books {
  readonly calls: unknown[][] = [];
  sent = 0;

  @Retry()
  async take(...args: unknown[]): Promise<unknown> {
    this.calls.push(args);
    return [this, args.length];
  }

  @(Retry() as MethodDecorator)
  give(value: unknown): unknown {
    return value;
  }

  @(Retry() as MethodDecorator)
  make(value: () => unknown): unknown {
    return value();
  }

  @Timeout('1s')
  async signalled(id: number, @Signal() signal?: AbortSignal): Promise<unknown> {
    return [id, signal];
  }

  @Retry()
  async deaf(@Signal() _signal?: AbortSignal): Promise<never> {
    return new Promise<never>(() => {});
  }

  @Fallback(((): unknown => just('spare', 'rest')) as never)
  async promised(): Promise<string> {
    throw new Error('down');
  }

  @Fallback((() => just('spare', 'rest')) as never)
  streamed(): Observable<string> {
    return throwError(() => new Error('down'));
  }

  @Retry()
  odd(): Observable<number> {
    return 7 as never;
  }

  @Bulkhead({ maxConcurrent: 1 })
  streaming(source: Observable<number>): Observable<number> {
    return source;
  }

  @Retry({ maxRetries: 1, backoff: constant(0) })
  query(): Promise<string> {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- counts what is sent
    const books = this;
    class Query<T> extends Promise<T> {
      override then(...given: Parameters<Promise<T>['then']>): never {
        books.sent += 1;
        return super.then(...given) as never;
      }
    }
    return Query.resolve<string>('rows');
  }
}

async function books(): Promise<Books> {
  const { app } = await boot({ providers: [Books] });
  return app.get(Books);
}

describe('a decorated method gets', () => {
  it.each([[[]], [[1]], [[1, 2]], [[1, 2, 3]], [[undefined]], [[1, undefined]]])(
    'just the arguments of its caller: %j',
    async (args) => {
      const service = await books();
      await expect(service.take(...args)).resolves.toEqual([service, args.length]);
      expect(service.calls).toEqual([args]);
    },
  );

  it('a signal in the place of that of its caller, which is left as it is', async () => {
    const service = await books();
    const [, own] = (await service.signalled(7)) as [number, AbortSignal];
    expect(own).toBeInstanceOf(AbortSignal);
    const { signal } = new AbortController();
    const [id, given] = (await service.signalled(7, signal)) as [number, AbortSignal];
    expect(id).toBe(7);
    expect(given).not.toBe(signal);
    expect(given.aborted).toBe(false);
    const gone = AbortSignal.abort(new Error('gone'));
    expect(await outcome(service.signalled(7, gone))).toEqual({ error: new Error('gone') });
  });
});

describe('a decorated method that takes a signal', () => {
  it('ends for its caller when that aborts its own, also if the method does not listen', async () => {
    const service = await books();
    const caller = new AbortController();
    const call = outcome(service.deaf(caller.signal));
    caller.abort(new Error('gone'));
    expect(await call).toEqual({ error: new Error('gone') });
  });
});

describe('the result of a decorated method', () => {
  it.each<[string, () => unknown]>([
    ['a plain object', () => ({ id: 7 })],
    [
      'a proxy that hides its prototype',
      () =>
        new Proxy(
          { id: 7 },
          {
            getPrototypeOf: () => {
              throw new Error('hidden');
            },
          },
        ),
    ],
    ['an object that says that it is a promise', () => ({ constructor: Promise })],
  ])('may be %s', async (_, make) => {
    const service = await books();
    const value = make();
    expect((await service.give(value)) === value).toBe(true);
  });

  it('may be a promise, also one that says that it is none', async () => {
    const service = await books();
    await expect(service.give(Promise.resolve(7))).resolves.toBe(7);
    const odd = Object.assign(Promise.resolve(7), { constructor: Object });
    await expect(service.give(odd)).resolves.toBe(7);
  });

  it('is asked for once if it is thenable, also behind a proxy that hides it', async () => {
    const service = await books();
    const hidden = {
      getPrototypeOf: () => {
        throw new Error('hidden');
      },
    };
    for (const hide of [(query: object) => query, (query: object) => new Proxy(query, hidden)]) {
      let sent = 0;
      const query = hide({
        then: (resolve: (rows: string) => void) => {
          sent += 1;
          resolve('rows');
        },
      });
      await expect(service.make(() => query)).resolves.toBe('rows');
      expect(sent).toBe(1);
    }
  });

  it('is asked for once if it is a query that `then()` sends', async () => {
    const service = await books();
    await expect(service.query()).resolves.toBe('rows');
    expect(service.sent).toBe(1);
  });

  it('cannot be a stream unless it is known, and the error tells how', async () => {
    const service = await books();
    expect(() => service.give(just(1))).toThrow(
      'Books.give returned a stream, but is not known to: declare its return type as Observable<…> (imported as a value, not by "import type"), or write it as an async generator (a decorator that replaces such a method must be above the policies), so that its policies can apply to each subscription',
    );
    expect(await outcome(service.give(Promise.resolve(just(1))) as Promise<unknown>)).toEqual({
      error: new TypeError(
        'Books.give resolved to an Observable, so its policies cannot see when it ends. Await firstValueFrom(…) inside it, or drop `async` and declare its return type as Observable<…> (imported as a value, not by "import type"), or write it as an async generator (a decorator that replaces such a method must be above the policies), so that its policies can apply to each subscription',
      ),
    });
  });

  it('cannot be a stream if the compiler records no types, and the error tells so', async () => {
    const service = await books();
    Reflect.deleteMetadata('design:type', Books.prototype, 'give');
    expect(() => service.give(just(1))).toThrow(
      'Books.give returned a stream, but is not known to: set "emitDecoratorMetadata": true in tsconfig.json, or the equivalent setting of your compiler, and declare its return type as Observable<…>',
    );
  });

  it('is its only item where a stream is declared', async () => {
    await expect(firstValueFrom((await books()).odd())).resolves.toBe(7);
  });

  it('that is a stream holds its place in a bulkhead until it has ended', async () => {
    const service = await books();
    const endless = new Observable<number>((subscriber) => subscriber.next(1));
    const seen: unknown[] = [];
    const subscription = service.streaming(endless).subscribe((item) => seen.push(item));
    await settle();
    await expect(firstValueFrom(service.streaming(just(2)))).rejects.toMatchObject({
      code: 'BULKHEAD_FULL',
    });
    expect(seen).toEqual([1]);
    subscription.unsubscribe();
    await expect(firstValueFrom(service.streaming(just(2)))).resolves.toBe(2);
  });
});

describe('a fallback that returns an Observable answers with', () => {
  it('its first item for a method that returns a promise', async () => {
    await expect((await books()).promised()).resolves.toBe('spare');
  });

  it('all of its items for a stream', async () => {
    const service = await books();
    const items: unknown[] = [];
    await new Promise<void>((complete) => {
      service.streamed().subscribe({ next: (item) => items.push(item), complete });
    });
    expect(items).toEqual(['spare', 'rest']);
  });
});
