import { Injectable } from '@nestjs/common';
import {
  EMPTY,
  Observable,
  concat,
  firstValueFrom,
  lastValueFrom,
  of as just,
  switchMap,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { CircuitBreaker, Retry, Timeout, TimeoutError, constant } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { Visits, outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe('a method that returns a promise', () => {
  it('gets this and its arguments by identity, on each attempt', async () => {
    const seen: unknown[][] = [];
    @Injectable()
    class S {
      @Retry({ maxRetries: 2, backoff: constant(1) })
      async m(...args: unknown[]): Promise<number> {
        seen.push([this, ...args]);
        if (seen.length < 3) throw new Error('down');
        return seen.length;
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    const args = [{}, [], () => {}];
    const call = app.get(S).m(...args);
    args[0] = 'changed meanwhile';
    await clock.advance(10);
    await expect(call).resolves.toBe(3);
    for (const [self, first, second, third] of seen) {
      expect(self).toBe(app.get(S));
      expect(first).toBe(seen[0]![1]);
      expect(first).toEqual({});
      expect([second, third]).toEqual([args[1], args[2]]);
    }
  });

  it('throws its own last error, by identity', async () => {
    const errors: Error[] = [];
    @Injectable()
    class S {
      @Retry({ maxRetries: 2, backoff: constant(1) })
      @CircuitBreaker()
      @Timeout('1s')
      async m(): Promise<never> {
        const error = new Error(`attempt ${errors.length + 1}`);
        errors.push(Object.freeze(error));
        throw error;
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    const call = outcome(app.get(S).m());
    await clock.advance(10);
    expect((await call).error).toBe(errors[2]);
  });

  it('passes on anything thrown unchanged', async () => {
    @Injectable()
    class S {
      @Retry({ maxRetries: 0 })
      async m(thrown: unknown): Promise<never> {
        throw thrown;
      }
    }
    const { app } = await boot({ providers: [S] });
    for (const thrown of [undefined, null, 0, 'text', { code: 1 }]) {
      await expect(outcome(app.get(S).m(thrown))).resolves.toEqual({ error: thrown });
    }
  });

  it('returns a promise even if it returns a plain value or throws at once', async () => {
    @Injectable()
    class S {
      @(Retry({ maxRetries: 0 }) as MethodDecorator)
      value(): unknown {
        return 1;
      }
      @(Retry({ maxRetries: 0 }) as MethodDecorator)
      error(): unknown {
        throw new Error('at once');
      }
    }
    const { app } = await boot({ providers: [S] });
    const promise: unknown = app.get(S).value();
    expect(promise).toBeInstanceOf(Promise);
    await expect(promise).resolves.toBe(1);
    await expect(app.get(S).error()).rejects.toThrow('at once');
  });

  it('returns a failing result that has opened the circuit, rather than wait for a rejection', async () => {
    const visits = new Visits();
    const isBad = (result: unknown): boolean => result === 'bad';
    @Injectable()
    class S {
      @Retry({ maxRetries: 3, backoff: constant('1s'), onResult: isBad })
      @CircuitBreaker({ consecutiveFailures: 1, openFor: '5s', onResult: isBad })
      async m(): Promise<string> {
        visits.visit();
        return 'bad';
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    await expect(app.get(S).m()).resolves.toBe('bad');
    expect(visits.count).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['an Observable', () => just(1)],
    ['an async iterable', async function* () {}],
  ])('explains the problem when it returns %s', async (_, make) => {
    @Injectable()
    class S {
      @(Retry({ backoff: constant(0) }) as MethodDecorator)
      m(): unknown {
        return make();
      }
    }
    const { app } = await boot({ providers: [S] });
    expect(() => app.get(S).m()).toThrow(
      'S.m returned a stream, but is not known to: declare its return type as Observable<…>',
    );
  });
});

describe('a method that returns an Observable', () => {
  @Injectable()
  class S {
    readonly visits = new Visits();
    subscriptions = 0;

    @Retry({ maxRetries: 2, backoff: constant('1s') })
    @CircuitBreaker({ name: 'stream', consecutiveFailures: 3 })
    stream(make: (attempt: number) => Observable<number>): Observable<number> {
      return make(this.visits.visit());
    }

    @Timeout('1s')
    slow(source: Observable<number>): Observable<number> {
      return source;
    }
  }

  it('does nothing before it is subscribed to, and runs again for each subscription', async () => {
    const { app, registry } = await boot({ providers: [S] });
    const service = app.get(S);
    const stream = service.stream(() => just(1, 2, 3));
    await settle();
    expect(service.visits.count).toBe(0);
    await expect(lastValueFrom(stream.pipe(toArray()))).resolves.toEqual([1, 2, 3]);
    await expect(lastValueFrom(stream.pipe(toArray()))).resolves.toEqual([1, 2, 3]);
    expect(service.visits.count).toBe(2);
    expect(registry.get('stream').counts).toMatchObject({ requests: 2, successes: 2 });
  });

  it('is called again when it fails before its first item', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const service = app.get(S);
    const stream = service.stream((attempt) =>
      attempt < 3 ? throwError(() => new Error('down')) : just(attempt),
    );
    const items = firstValueFrom(stream.pipe(toArray()));
    await clock.advance(2_000);
    await expect(items).resolves.toEqual([3]);
  });

  it('is not called again after its first item, and an error then goes on to the subscriber', async () => {
    const { app, registry } = await boot({ providers: [S] });
    const error = new Error('midway');
    const seen: number[] = [];
    const stream = app.get(S).stream(() =>
      concat(
        just(1, 2),
        throwError(() => error),
      ),
    );
    const ended = new Promise((resolve) => {
      stream.subscribe({ next: (item) => seen.push(item), error: resolve });
    });
    expect(await ended).toBe(error);
    expect(seen).toEqual([1, 2]);
    expect(app.get(S).visits.count).toBe(1);
    expect(registry.get('stream').counts).toMatchObject({ successes: 1, failures: 1 });
  });

  it('may be empty, which is a success', async () => {
    const { app, registry } = await boot({ providers: [S] });
    const items = lastValueFrom(
      app
        .get(S)
        .stream(() => EMPTY)
        .pipe(toArray()),
    );
    await expect(items).resolves.toEqual([]);
    expect(registry.get('stream').counts.successes).toBe(1);
  });

  it('is ignored by policies when it is unsubscribed from before its first item', async () => {
    const { app, registry, clock } = await boot({ providers: [S] });
    let torn = 0;
    const never = new Observable<number>(() => () => (torn += 1));
    const subscription = app
      .get(S)
      .stream(() => never)
      .subscribe();
    subscription.unsubscribe();
    await clock.advance(10_000);
    expect(torn).toBe(1);
    expect(app.get(S).visits.count).toBe(1);
    expect(registry.get('stream').counts).toMatchObject({ ignored: 1, failures: 0, successes: 0 });
  });

  it('is unsubscribed when it is left in the middle', async () => {
    const { app } = await boot({ providers: [S] });
    let torn = 0;
    const endless = new Observable<number>((subscriber) => {
      subscriber.next(1);
      return () => (torn += 1);
    });
    await expect(firstValueFrom(app.get(S).stream(() => endless))).resolves.toBe(1);
    expect(torn).toBe(1);
  });

  it('is unsubscribed when it is left right after an item that came at once', async () => {
    const { app } = await boot({ providers: [S] });
    let open = 0;
    const endless = new Observable<number>((subscriber) => {
      open += 1;
      subscriber.next(1);
      return () => (open -= 1);
    });
    const stream = app.get(S).stream(() => endless);
    stream.subscribe().unsubscribe();
    await settle();
    expect(open).toBe(0);

    const subscription = just(1, 2, 3)
      .pipe(switchMap(() => stream))
      .subscribe();
    await settle();
    subscription.unsubscribe();
    await settle();
    expect(open).toBe(0);
  });

  it('may throw from its teardown when it times out, without an effect on other timeouts', async () => {
    const { app, clock } = await boot({ providers: [S] });
    let torn = 0;
    const never = new Observable<number>(() => () => {
      torn += 1;
      if (torn === 1) throw new Error('teardown');
    });
    const codes: unknown[] = [];
    const subscribe = (): void =>
      void app
        .get(S)
        .slow(never)
        .subscribe({ error: ({ code }: TimeoutError) => codes.push(code) });
    subscribe();
    subscribe();
    await clock.advance(1_000);
    subscribe();
    await clock.advance(1_000);
    expect(codes).toEqual(['TIMEOUT', 'TIMEOUT', 'TIMEOUT']);
    expect(torn).toBe(3);
  });

  it('times out when its first item does not come, and is unsubscribed', async () => {
    const { app, clock } = await boot({ providers: [S] });
    let torn = 0;
    const never = new Observable<number>(() => () => (torn += 1));
    const call = outcome(firstValueFrom(app.get(S).slow(never)));
    await clock.advance(1_000);
    expect((await call).error).toBeInstanceOf(TimeoutError);
    expect(torn).toBe(1);
  });

  it('has no time limit after its first item', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const source = concat(just(1), timer(5));
    const items = lastValueFrom(app.get(S).slow(source).pipe(toArray()));
    await clock.advance(10_000);
    await expect(items).resolves.toEqual([1, 0]);
  });
});

describe('an async generator', () => {
  @Injectable()
  class S {
    readonly visits = new Visits();
    readonly ended: string[] = [];

    @Retry({ maxRetries: 2, backoff: constant('1s') })
    @CircuitBreaker({ name: 'items', consecutiveFailures: 3 })
    async *items(failUntil: number, failAt = Infinity): AsyncGenerator<number, string> {
      const attempt = this.visits.visit();
      try {
        if (attempt < failUntil) throw new Error('down');
        for (let i = 0; i < 3; i++) {
          if (i === failAt) throw new Error('midway');
          yield i;
        }
        return 'all';
      } finally {
        this.ended.push(`attempt ${attempt}`);
      }
    }
  }

  async function collect(items: AsyncIterable<number>): Promise<number[]> {
    const all: number[] = [];
    for await (const item of items) all.push(item);
    return all;
  }

  it('does nothing before its first item is requested', async () => {
    const { app } = await boot({ providers: [S] });
    app.get(S).items(0);
    await settle();
    expect(app.get(S).visits.count).toBe(0);
  });

  it('is begun again when it fails before its first item', async () => {
    const { app, clock, registry } = await boot({ providers: [S] });
    const items = collect(app.get(S).items(3));
    await clock.advance(2_000);
    await expect(items).resolves.toEqual([0, 1, 2]);
    expect(registry.get('items').counts).toMatchObject({ failures: 2, successes: 1 });
  });

  it('is not begun again afterwards: its error reaches the caller', async () => {
    const { app, registry } = await boot({ providers: [S] });
    await expect(collect(app.get(S).items(0, 1))).rejects.toThrow('midway');
    expect(app.get(S).visits.count).toBe(1);
    expect(registry.get('items').counts).toMatchObject({ failures: 1, successes: 1 });
  });

  it('keeps its return value', async () => {
    const { app } = await boot({ providers: [S] });
    const items = app.get(S).items(0);
    for (let i = 0; i < 3; i++) await items.next();
    await expect(items.next()).resolves.toEqual({ done: true, value: 'all' });
  });

  it('gets what its consumer sends', async () => {
    @Injectable()
    class Echo {
      @Retry()
      async *words(): AsyncGenerator<string, void, string> {
        const sent = yield 'first';
        yield sent;
      }
    }
    const { app } = await boot({ providers: [Echo] });
    const words = app.get(Echo).words();
    await expect(words.next()).resolves.toMatchObject({ value: 'first' });
    await expect(words.next('sent')).resolves.toMatchObject({ value: 'sent' });
  });

  it('is ended when its consumer stops early', async () => {
    const { app } = await boot({ providers: [S] });
    for await (const item of app.get(S).items(0)) if (item === 1) break;
    expect(app.get(S).ended).toEqual(['attempt 1']);
  });
});
