import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { Injectable, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
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
import {
  CircuitBreaker,
  CircuitBreakerRegistry,
  type FallbackContext,
  Fallback,
  ResilienceEvents,
  Retry,
  Signal,
  Timeout,
  TimeoutError,
  constant,
  isResilienceError,
  fallbackValue,
  withReport,
} from '../src/index.js';
import { systemClock } from '../src/common/clock.js';
import { appModule, boot, closeAll, of } from './support/boot.js';
import { Visits, deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

const unhandled: unknown[] = [];
const remember = (error: unknown): void => void unhandled.push(error);
beforeAll(() => process.on('unhandledRejection', remember));
afterAll(() => process.off('unhandledRejection', remember));
afterEach(async () => {
  await settle();
  expect(unhandled.splice(0)).toEqual([]);
});

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

  it('hands over anything thrown as it is', async () => {
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

  it('gives a promise also when it returns a plain value or throws at once', async () => {
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

  it('answers with a failing result that has opened the circuit, rather than wait for its rejection', async () => {
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
  ])('says clearly what is wrong when it turns out to return %s', async (_, make) => {
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

  it('does nothing before it is subscribed to, and runs anew for each subscription', async () => {
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
    expect(registry.get('stream').counts).toMatchObject({ successes: 1, failures: 0 });
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

  it('may throw from its teardown when it times out: other calls time out all the same', async () => {
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

  it('has time without end after its first item', async () => {
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

  it('does nothing before its first item is asked for', async () => {
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
    expect(registry.get('items').counts).toMatchObject({ failures: 0, successes: 1 });
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

describe('@Signal()', () => {
  @Injectable()
  class S {
    readonly signals: (AbortSignal | undefined)[] = [];

    @Retry({ maxRetries: 3, backoff: constant('1s') })
    @CircuitBreaker('signalled')
    @Timeout('5s')
    async m(fail: boolean, @Signal() signal?: AbortSignal): Promise<string> {
      this.signals.push(signal);
      if (fail) throw new Error('down');
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    }
  }

  it("stops the call when the caller's own signal is aborted, with its reason", async () => {
    const { app, registry, clock } = await boot({ providers: [S] });
    const controller = new AbortController();
    const call = outcome(app.get(S).m(false, controller.signal));
    await settle();
    const reason = new Error('the user has closed the page');
    controller.abort(reason);
    expect((await call).error).toBe(reason);
    expect(app.get(S).signals[0]).toMatchObject({ aborted: true, reason });
    expect(registry.get('signalled').counts).toMatchObject({ ignored: 1, failures: 0 });
    await clock.advance(10_000);
    expect(app.get(S).signals).toHaveLength(1);
  });

  it('ends the wait for the next attempt at once', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const controller = new AbortController();
    const call = outcome(app.get(S).m(true, controller.signal));
    await settle();
    const reason = new Error('gone');
    controller.abort(reason);
    expect((await call).error).toBe(reason);
    await clock.advance(10_000);
    expect(app.get(S).signals).toHaveLength(1);
  });

  it('makes no attempt at all when the signal has been aborted before', async () => {
    const { app } = await boot({ providers: [S] });
    const reason = new Error('gone');
    const { error } = await outcome(app.get(S).m(false, AbortSignal.abort(reason)));
    expect(error).toBe(reason);
    expect(app.get(S).signals).toHaveLength(0);
  });

  it('is aborted for an async generator too, while it makes a later item', async () => {
    @Injectable()
    class Items {
      @Retry()
      async *items(@Signal() signal?: AbortSignal): AsyncGenerator<number> {
        yield 1;
        await new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
      }
    }
    const { app } = await boot({ providers: [Items] });
    const controller = new AbortController();
    const items = app.get(Items).items(controller.signal);
    await items.next();
    const second = outcome(items.next());
    await settle();
    const reason = new Error('gone');
    controller.abort(reason);
    expect((await second).error).toBe(reason);
  });

  it.each([
    ['a manual clock', {}],
    ['the clock of the machine', { clock: systemClock }],
  ])('is aborted by a timeout in the async context of its own call (%s)', async (_, resilience) => {
    const user = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    @Injectable()
    class Slow {
      @Timeout(5)
      async m(id: string, @Signal() signal?: AbortSignal): Promise<never> {
        signal?.addEventListener('abort', () => seen.push([id, user.getStore()]));
        return new Promise(() => {});
      }
    }
    const { app, clock } = await boot({ providers: [Slow], resilience });
    const calls = ['anna', 'bob'].map((id) => user.run(id, () => outcome(app.get(Slow).m(id))));
    await user.run('whoever moves the clock', () => clock.advance(5));
    await Promise.all(calls);
    expect(seen).toEqual([
      ['anna', 'anna'],
      ['bob', 'bob'],
    ]);
  });

  it('leaves no listener on the signal of a caller', async () => {
    @Injectable()
    class Quick {
      @Timeout('1s')
      async m(@Signal() signal?: AbortSignal): Promise<boolean> {
        return signal!.aborted;
      }
    }
    const { app } = await boot({ providers: [Quick] });
    const { signal } = new AbortController();
    const added = jest.spyOn(signal, 'addEventListener');
    const removed = jest.spyOn(signal, 'removeEventListener');
    await app.get(Quick).m(signal);
    expect(added.mock.calls).toHaveLength(1);
    expect(removed.mock.calls[0]!.slice(0, 2)).toEqual(added.mock.calls[0]!.slice(0, 2));
  });

  it('is aborted by a timeout, with the TimeoutError', async () => {
    const { app, clock } = await boot({
      providers: [S],
      resilience: { overrides: { '*': { retry: false } } },
    });
    const call = outcome(app.get(S).m(false));
    await clock.advance(5_000);
    expect((await call).error).toBeInstanceOf(TimeoutError);
    expect(app.get(S).signals[0]!.reason).toBeInstanceOf(TimeoutError);
  });
});

it('a result or an error that comes after the timeout is dropped', async () => {
  const works = [deferred<string>(), deferred<string>()];
  @Injectable()
  class S {
    @Timeout('1s')
    async m(index: number): Promise<string> {
      return works[index]!.promise;
    }
  }
  const { app, clock, events } = await boot({ providers: [S] });
  const calls = [0, 1].map((index) => outcome(app.get(S).m(index)));
  await clock.advance(1_000);
  for (const { error } of await Promise.all(calls))
    expect(isResilienceError(error, 'TIMEOUT')).toBe(true);
  works[0]!.resolve('late');
  works[1]!.reject(new Error('late'));
  await settle();
  expect(of('late', events).map(({ outcome: how }) => how)).toEqual(['success', 'failure']);
});

describe('CircuitBreakerRegistry', () => {
  @Injectable()
  class One {
    @CircuitBreaker({ name: 'shared', consecutiveFailures: 2 })
    async m(): Promise<never> {
      throw new Error('down');
    }
    @CircuitBreaker()
    async own(): Promise<void> {}
    async undecorated(): Promise<void> {}
  }
  @Injectable()
  class Two {
    @CircuitBreaker('shared')
    async m(): Promise<void> {}
  }

  it('shares a breaker between the methods that name it', async () => {
    const { app } = await boot({ providers: [Two, One] });
    for (let i = 0; i < 2; i++) await outcome(app.get(One).m());
    await expect(app.get(Two).m()).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
      policyName: 'shared',
    });
  });

  it('has breakers by name, in the order of their declaration', async () => {
    const { registry } = await boot({ providers: [One, Two] });
    expect(registry.names()).toEqual(['shared', 'One.own']);
    expect(Array.from(registry, ({ name, state }) => [name, state])).toEqual([
      ['shared', 'closed'],
      ['One.own', 'closed'],
    ]);
    expect(registry.has('shared')).toBe(true);
    expect(registry.has('unknown')).toBe(false);
    expect(registry.get('One.own').name).toBe('One.own');
  });

  it('says which there are when it has none of a name', async () => {
    const { registry } = await boot({ providers: [One] });
    expect(() => registry.get('unknown')).toThrow(
      'there is no circuit breaker "unknown"; there are "shared", "One.own"',
    );
    const { registry: empty } = await boot();
    expect(() => empty.get('unknown')).toThrow(
      'there is no circuit breaker "unknown"; there are none',
    );
  });

  it('lists breakers by key as they come into use', async () => {
    @Injectable()
    class Keyed {
      @CircuitBreaker({ name: 'host', key: (host: string) => host })
      async m(_host: string): Promise<void> {}
    }
    const { app, registry } = await boot({ providers: [Keyed] });
    expect(registry.names()).toEqual([]);
    await app.get(Keyed).m('a');
    await app.get(Keyed).m('b');
    await app.get(Keyed).m('a');
    expect(registry.names()).toEqual(['host[a]', 'host[b]']);
    expect(registry.get('host[a]').counts.requests).toBe(2);
  });

  it('describes methods, and says so when one is not decorated', async () => {
    const { service } = await boot({ providers: [One] });
    expect(service.describe(One, 'm')).toEqual({
      name: 'One.m',
      stages: ['circuit breaker'],
      policies: [{ kind: 'circuitBreaker', options: { name: 'shared', consecutiveFailures: 2 } }],
    });
    expect(() => service.describe(One, 'undecorated')).toThrow('One.undecorated is not decorated');
  });

  it('steers breakers: forced open, then released', async () => {
    const { app, registry } = await boot({ providers: [One] });
    registry.get('One.own').forceOpen({ by: 'anna', reason: 'migration' });
    await expect(app.get(One).own()).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    registry.get('One.own').clearOverride();
    await expect(app.get(One).own()).resolves.toBeUndefined();
  });

  it('forced open during a call leaves it its own error, which ends it when it would be retried', async () => {
    @Injectable()
    class Forced {
      @Retry({ backoff: constant('1s') })
      @CircuitBreaker('forced')
      async m(): Promise<never> {
        booted.registry.get('forced').forceOpen();
        throw new Error('down');
      }
    }
    const booted = await boot({ providers: [Forced] });
    const call = outcome(booted.app.get(Forced).m());
    await booted.clock.advance(1_000);
    expect((await call).error).toEqual(new Error('down'));
  });

  it('can be injected', async () => {
    @Injectable()
    class Operations {
      constructor(
        readonly registry: CircuitBreakerRegistry,
        readonly events: ResilienceEvents,
      ) {}
    }
    const { app, registry } = await boot({ providers: [Operations, One] });
    expect(app.get(Operations).registry).toBe(registry);
    expect(app.get(Operations).events).toBe(app.get(ResilienceEvents));
  });
});

describe('ResilienceEvents', () => {
  @Injectable()
  class S {
    attempts = 0;
    @Fallback(fallbackValue('answer'))
    @Retry({ maxRetries: 1, backoff: constant('1s') })
    @CircuitBreaker({ name: 'shelf', consecutiveFailures: 2, openFor: '5s' })
    async m(): Promise<string> {
      this.attempts += 1;
      throw new Error(`attempt ${this.attempts}`);
    }
  }

  it('tells everything that happens to a call, in its order', async () => {
    const { app, clock, events } = await boot({ providers: [S] });
    const call = app.get(S).m();
    await clock.advance(1_000);
    await expect(call).resolves.toBe('answer');
    const [first, second] = [new Error('attempt 1'), new Error('attempt 2')];
    const common = { name: 'S.m', outcome: 'failure', durationMs: 0 };
    expect(events).toEqual([
      { type: 'attempt', ...common, attempt: 1, error: first },
      { type: 'retry', name: 'S.m', attempt: 1, delayMs: 1_000, error: first },
      { type: 'attempt', ...common, attempt: 2, error: second },
      expect.objectContaining({
        type: 'state-change',
        name: 'shelf',
        from: 'closed',
        to: 'open',
        reason: 'consecutive-failures',
      }),
      {
        type: 'retries-exhausted',
        name: 'S.m',
        attempts: 2,
        reason: 'max-retries',
        error: second,
      },
      { type: 'fallback', name: 'S.m', handler: 'value', outcome: 'success', error: second },
    ]);

    events.length = 0;
    await app.get(S).m();
    expect(events.map(({ type }) => type)).toEqual(['rejected', 'fallback']);
    expect(events[0]).toEqual({
      type: 'rejected',
      name: 'shelf',
      policy: 'circuitBreaker',
      code: 'CIRCUIT_OPEN',
      retryAfterMs: 5_000,
    });
  });

  it('is not disturbed by listeners that throw or reject, and says so once', async () => {
    const warnings: unknown[] = [];
    const logger = { log() {}, debug() {}, warn: (message: unknown) => warnings.push(message) };
    const { app, clock, events } = await boot({
      providers: [S],
      resilience: { logger: logger as unknown as LoggerService },
    });
    const stream = app.get(ResilienceEvents);
    stream.subscribe(() => {
      throw new Error('listener');
    });
    stream.subscribe(() => Promise.reject(new Error('async listener')) as never);
    const later: string[] = [];
    stream.subscribe(({ type }) => later.push(type));
    const call = app.get(S).m();
    await clock.advance(1_000);
    await expect(call).resolves.toBe('answer');
    expect(later).toEqual(events.map(({ type }) => type));
    expect(warnings).toContain('a listener of ResilienceEvents threw Error: listener');
    expect(warnings).toContain('a listener of ResilienceEvents threw Error: async listener');
  });

  it('is not disturbed by a listener that throws what has no text', async () => {
    const warnings: unknown[] = [];
    const logger = { log() {}, debug() {}, warn: (message: unknown) => warnings.push(message) };
    const { app, clock } = await boot({
      providers: [S],
      resilience: { logger: logger as unknown as LoggerService },
    });
    app.get(ResilienceEvents).subscribe(() => {
      throw Object.create(null) as Error;
    });
    const call = app.get(S).m();
    await clock.advance(1_000);
    await expect(call).resolves.toBe('answer');
    expect(warnings).toContainEqual(
      expect.stringContaining('a listener of ResilienceEvents threw '),
    );
  });

  it('ends a subscription', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const seen: unknown[] = [];
    const end = app.get(ResilienceEvents).subscribe((event) => seen.push(event));
    end();
    const call = app.get(S).m();
    await clock.advance(1_000);
    await call;
    expect(seen).toEqual([]);
  });
});

describe('withReport()', () => {
  @Injectable()
  class Inner {
    @Retry({ maxRetries: 2, backoff: constant('1s') })
    async flaky(failures: number[]): Promise<string> {
      if (failures.pop() !== undefined) throw new Error('down');
      return 'live';
    }

    @Fallback(({ attempts }: FallbackContext) => `answer after ${attempts}`)
    @Retry({ maxRetries: 1, backoff: constant('1s') })
    async broken(): Promise<string> {
      throw new Error('down');
    }
  }
  @Injectable()
  class Outer {
    constructor(readonly inner: Inner) {}
    @Timeout('1m')
    async both(): Promise<string[]> {
      return [await this.inner.flaky([1]), await this.inner.broken()];
    }
  }

  it('tells of each call: attempts, where its answer came from, how long it took', async () => {
    const { app, clock } = await boot({ providers: [Inner, Outer] });
    const work = withReport(() => app.get(Outer).both());
    await clock.advance(10_000);
    const common = { outcome: 'success', ageMs: undefined };
    expect(await work).toEqual({
      value: ['live', 'answer after 2'],
      calls: [
        { ...common, name: 'Inner.flaky', attempts: 2, source: 'live', durationMs: 1_000 },
        { ...common, name: 'Inner.broken', attempts: 2, source: 'fallback', durationMs: 1_000 },
        { ...common, name: 'Outer.both', attempts: 1, source: 'live', durationMs: 2_000 },
      ],
    });
  });

  it('keeps the reports of simultaneous work apart', async () => {
    const { app, clock } = await boot({ providers: [Inner] });
    const works = [[], [1]].map((failures) => withReport(() => app.get(Inner).flaky(failures)));
    await clock.advance(10_000);
    const reports = await Promise.all(works);
    expect(reports.map(({ calls }) => calls.map(({ attempts }) => attempts))).toEqual([[1], [2]]);
  });

  it('tells nothing of what work leaves behind, which may go on for ever', async () => {
    const { app } = await boot({ providers: [Inner] });
    const inner = app.get(Inner);
    const { value: later, calls } = await withReport(async () => {
      await inner.flaky([]);
      return AsyncResource.bind(() => inner.flaky([]));
    });
    for (let i = 0; i < 3; i++) await later();
    expect(calls).toHaveLength(1);
  });

  it('throws what the work throws', async () => {
    const error = new Error('down');
    await expect(outcome(withReport(() => Promise.reject(error)))).resolves.toEqual({ error });
  });

  it('tells nothing of work without protected calls', async () => {
    await expect(withReport(() => 1)).resolves.toEqual({ value: 1, calls: [] });
  });
});

describe('when the application closes', () => {
  @Injectable()
  class S {
    calls = 0;
    @Retry({ maxRetries: 9, backoff: constant('1h'), maxElapsedTime: Infinity })
    async m(): Promise<never> {
      this.calls += 1;
      throw new Error(`attempt ${this.calls}`);
    }
  }

  it('calls that wait for their next attempt end at once, with their last error', async () => {
    const { AppModule, clock } = appModule({ providers: [S] });
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const seen: unknown[] = [];
    app.get(ResilienceEvents).subscribe((event) => seen.push(event));
    const service = app.get(S);
    const calls = [outcome(service.m()), outcome(service.m())];
    await settle();
    expect(clock.pending).toBe(2);
    await app.close();
    expect((await Promise.all(calls)).map(({ error }) => String(error))).toEqual([
      'Error: attempt 1',
      'Error: attempt 2',
    ]);
    expect(clock.pending).toBe(0);
    expect(seen.at(-1)).toMatchObject({ type: 'retries-exhausted', reason: 'shutdown' });
  });

  it('no timer of a timeout is left', async () => {
    @Injectable()
    class Timed {
      @Timeout({ attempt: '1s', total: '1m' })
      async m(): Promise<void> {}
    }
    const { AppModule, clock } = appModule({ providers: [Timed] });
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    await app.get(Timed).m();
    await app.close();
    expect(clock.pending).toBe(0);
  });

  it('later calls are not retried', async () => {
    const { AppModule, clock } = appModule({ providers: [S] });
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const service = app.get(S);
    await app.close();
    await expect(service.m()).rejects.toThrow('attempt 1');
    expect(clock.pending).toBe(0);
  });
});
