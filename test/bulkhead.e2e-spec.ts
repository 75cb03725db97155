import {
  BadGatewayException,
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplicationContext,
  Injectable,
  type NestInterceptor,
  RequestTimeoutException,
  Scope,
  Sse,
  type Type,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  EMPTY,
  Observable,
  Subject,
  firstValueFrom,
  of as just,
  race,
  mergeMap,
  throwError,
} from 'rxjs';
import {
  BULKHEAD_REGISTRY,
  Bulkhead,
  BulkheadFullError,
  BulkheadRegistry,
  type BulkheadSnapshot,
  CircuitBreaker,
  Fallback,
  type FallbackContext,
  ResilienceConfigurationError,
  type ResilienceModuleOptions,
  Retry,
  Signal,
  Timeout,
  UsePipeline,
  constant,
  isResilienceError,
  fallbackValue,
} from '../src/index.js';
import {
  type Platform,
  type Served,
  appModule,
  boot,
  closeAll,
  everyPlatform,
  of,
  serve,
} from './support/boot.js';
import { request } from './support/http.js';
import { type Deferred, Visits, deferred, outcome, settle, until } from './support/wait.js';

afterEach(closeAll);

const unhandled: unknown[] = [];
const remember = (error: unknown): void => void unhandled.push(error);
beforeAll(() => process.on('unhandledRejection', remember));
afterAll(() => process.off('unhandledRejection', remember));
afterEach(async () => {
  await settle();
  expect(unhandled.splice(0)).toEqual([]);
});

/** Work that the test ends, call by call. */
class Works {
  readonly all: Deferred<string>[] = [];
  private readonly visits = new Visits();

  next(): Promise<string> {
    const work = deferred<string>();
    this.all.push(work);
    this.visits.visit();
    return work.promise;
  }

  get count(): number {
    return this.visits.count;
  }

  reached(count: number): Promise<void> {
    return this.visits.reached(count);
  }

  end(index: number): void {
    this.all[index]!.resolve(`work ${index}`);
  }
}

/** How a bulkhead is. */
function bulkhead(app: INestApplicationContext, name: string): BulkheadSnapshot {
  return app.get(BulkheadRegistry, { strict: false }).get(name);
}

const counts = (app: INestApplicationContext, name: string): [number, number, number] => {
  const { running, waiting, rejected } = bulkhead(app, name);
  return [running, waiting, rejected];
};

const full = { code: 'BULKHEAD_FULL', reason: 'full' };

/** Begins a call and is not surprised when it fails. */
const begin = <T>(call: Promise<T>): Promise<{ value?: T; error?: unknown }> => outcome(call);

describe('a method in a bulkhead', () => {
  it('runs 10 times at once by default; the next call is rejected and does not run', async () => {
    @Injectable()
    class S {
      readonly works = new Works();
      @Bulkhead()
      async m(): Promise<string> {
        return this.works.next();
      }
    }
    const { app } = await boot({ providers: [S] });
    const service = app.get(S);
    const { works } = service;
    const calls = Array.from({ length: 10 }, () => begin(service.m()));
    const { error } = await begin(service.m());
    expect(error).toBeInstanceOf(BulkheadFullError);
    expect(error).toMatchObject({ ...full, policyName: 'S.m' });
    expect(works.count).toBe(10);
    works.end(3);
    expect((await calls[3]!).value).toBe('work 3');
    const later = begin(service.m());
    works.end(10);
    expect((await later).value).toBe('work 10');
  });

  it('waits its turn, and gets its own arguments and result', async () => {
    @Injectable()
    class S {
      readonly works = new Works();
      readonly seen: unknown[] = [];
      @Bulkhead({ maxConcurrent: 1, maxQueue: 2 })
      async m(given: string): Promise<string> {
        this.seen.push([this, given]);
        return `${given}: ${await this.works.next()}`;
      }
    }
    const { app } = await boot({ providers: [S] });
    const service = app.get(S);
    const calls = ['a', 'b', 'c'].map((given) => begin(service.m(given)));
    expect((await begin(service.m('d'))).error).toMatchObject(full);
    for (const index of [0, 1, 2]) {
      await service.works.reached(index + 1);
      service.works.end(index);
      await calls[index];
    }
    expect(service.seen).toEqual(['a', 'b', 'c'].map((given) => [service, given]));
    await expect(Promise.all(calls)).resolves.toEqual([
      { value: 'a: work 0' },
      { value: 'b: work 1' },
      { value: 'c: work 2' },
    ]);
  });

  it('may wait as long as maxWait', async () => {
    @Injectable()
    class S {
      readonly works = new Works();
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1, maxWait: '500ms' })
      async m(): Promise<string> {
        return this.works.next();
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    void begin(app.get(S).m());
    const waiting = begin(app.get(S).m());
    await clock.advance(499);
    expect(counts(app, 'S.m')).toEqual([1, 1, 0]);
    await clock.advance(1);
    expect((await waiting).error).toMatchObject({ code: 'BULKHEAD_FULL', reason: 'max-wait' });
    expect(app.get(S).works.count).toBe(1);
  });

  it('shares its places with all instances of the class, also with those of each request', async () => {
    const works = new Works();
    @Injectable({ scope: Scope.TRANSIENT })
    class S {
      @Bulkhead(1)
      async m(): Promise<string> {
        return works.next();
      }
    }
    const { app } = await boot({ providers: [S] });
    const [one, two] = [await app.resolve(S), await app.resolve(S)];
    expect(one).not.toBe(two);
    void begin(one.m());
    expect((await begin(two.m())).error).toMatchObject(full);
  });

  it('leaves the queue when the signal of its caller is aborted', async () => {
    @Injectable()
    class S {
      readonly works = new Works();
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
      async m(@Signal() _signal?: AbortSignal): Promise<string> {
        return this.works.next();
      }
    }
    const { app } = await boot({ providers: [S] });
    const first = begin(app.get(S).m());
    const controller = new AbortController();
    const second = begin(app.get(S).m(controller.signal));
    await settle();
    expect(counts(app, 'S.m')).toEqual([1, 1, 0]);
    const reason = new Error('the user has closed the page');
    controller.abort(reason);
    expect((await second).error).toBe(reason);
    expect(counts(app, 'S.m')).toEqual([1, 0, 0]);
    app.get(S).works.end(0);
    await first;
    expect(app.get(S).works.count).toBe(1);
  });

  it('that has timed out is in the way until it has really ended', async () => {
    @Injectable()
    class S {
      readonly works = new Works();
      @Bulkhead(1)
      @Timeout('1s')
      async m(): Promise<string> {
        return this.works.next();
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    const call = begin(app.get(S).m());
    await clock.advance(1_000);
    expect((await call).error).toMatchObject({ code: 'TIMEOUT' });
    expect((await begin(app.get(S).m())).error).toMatchObject(full);
    app.get(S).works.end(0);
    await settle();
    expect(counts(app, 'S.m')).toEqual([0, 0, 1]);
  });

  it('tells what happens to it', async () => {
    @Injectable()
    class S {
      readonly works = new Works();
      @Bulkhead({ name: 'storagesvc', maxConcurrent: 1, maxQueue: 1 })
      async m(): Promise<string> {
        return this.works.next();
      }
    }
    const { app, clock, events } = await boot({ providers: [S] });
    const { works } = app.get(S);
    const calls = [0, 1, 2].map(() => begin(app.get(S).m()));
    await clock.advance(250);
    works.end(0);
    await works.reached(2);
    works.end(1);
    await Promise.all(calls);
    const rejected = { policy: 'bulkhead', code: 'BULKHEAD_FULL', retryAfterMs: 2_000 };
    expect(events.filter(({ type }) => type !== 'attempt')).toEqual([
      { type: 'rejected', name: 'storagesvc', ...rejected },
      { type: 'queued', name: 'storagesvc', waitedMs: 250 },
    ]);
  });
});

describe('how many may run is given', () => {
  const works = { count: 0, peak: 0 };

  @Injectable()
  class S {
    @Bulkhead(2)
    async short(): Promise<void> {
      return this.work();
    }
    @Bulkhead()
    async plain(): Promise<void> {
      return this.work();
    }
    @Bulkhead({ name: 'shelf' })
    async named(): Promise<void> {
      return this.work();
    }
    @Bulkhead({ config: 'narrow' })
    async configured(): Promise<void> {
      return this.work();
    }

    private async work(): Promise<void> {
      works.count += 1;
      works.peak = Math.max(works.peak, works.count);
      await settle();
      works.count -= 1;
    }
  }

  const configs = { shelf: { bulkhead: 4 }, narrow: { bulkhead: { maxConcurrent: 5 } } };

  /** How many calls have really run at a time, of more than any limit here. */
  async function peakOf(
    method: 'short' | 'plain' | 'named' | 'configured',
    resilience: ResilienceModuleOptions = {},
  ): Promise<number> {
    const { app } = await boot({ providers: [S], resilience: { configs, ...resilience } });
    works.peak = 0;
    await Promise.allSettled(Array.from({ length: 20 }, () => app.get(S)[method]()));
    expect(works.count).toBe(0);
    return works.peak;
  }

  it('by a number', async () => {
    await expect(peakOf('short')).resolves.toBe(2);
  });

  it('by the library', async () => {
    await expect(peakOf('plain')).resolves.toBe(10);
  });

  it('by forRoot({ defaults }), in short or not', async () => {
    await expect(peakOf('plain', { defaults: { bulkhead: 3 } })).resolves.toBe(3);
    const defaults = { bulkhead: { maxConcurrent: 6 } };
    await expect(peakOf('plain', { defaults })).resolves.toBe(6);
    await expect(peakOf('short', { defaults })).resolves.toBe(2);
  });

  it('by a configuration, named or called as the bulkhead is', async () => {
    await expect(peakOf('configured')).resolves.toBe(5);
    await expect(peakOf('named')).resolves.toBe(4);
  });

  it('by an override, in short or not', async () => {
    await expect(peakOf('short', { overrides: { '*': { bulkhead: 7 } } })).resolves.toBe(7);
    const overrides = { '*': { bulkhead: 7 }, 'S.short': { bulkhead: { maxConcurrent: 1 } } };
    await expect(peakOf('short', { overrides })).resolves.toBe(1);
    await expect(peakOf('plain', { overrides })).resolves.toBe(7);
  });

  it('not at all: an override of false takes the bulkhead off', async () => {
    const overrides = { 'S.short': { bulkhead: false } } as const;
    await expect(peakOf('short', { overrides })).resolves.toBe(20);
    await expect(peakOf('plain', { overrides })).resolves.toBe(10);
  });

  it('with what is not given by the others', async () => {
    const { app } = await boot({
      providers: [S],
      resilience: {
        configs,
        defaults: { bulkhead: { maxQueue: 3 } },
        overrides: { 'S.short': { bulkhead: { maxWait: '1s' } } },
      },
    });
    expect(bulkhead(app, 'S.short')).toMatchObject({ maxConcurrent: 2, maxQueue: 3 });
    expect(bulkhead(app, 'S.plain')).toMatchObject({ maxConcurrent: 10, maxQueue: 3 });
  });
});

describe('a bulkhead with a name', () => {
  let works: Works;
  beforeEach(() => (works = new Works()));

  @Injectable()
  class One {
    @Bulkhead({ name: 'shared', maxConcurrent: 2, maxQueue: 1 })
    async m(): Promise<string> {
      return works.next();
    }
  }
  @Injectable()
  class Two {
    @Bulkhead({ name: 'shared' })
    async m(): Promise<string> {
      return works.next();
    }
    @Bulkhead(1)
    async own(): Promise<string> {
      return works.next();
    }
  }

  it.each([
    ['before', [Two, One]],
    ['after', [One, Two]],
  ])(
    'is shared by methods of two classes, one of which only names it, %s the other',
    async (_, providers) => {
      const { app } = await boot({ providers });
      const calls = [app.get(Two).m(), app.get(One).m(), app.get(Two).m()].map(begin);
      expect(counts(app, 'shared')).toEqual([2, 1, 0]);
      expect((await begin(app.get(One).m())).error).toMatchObject({
        ...full,
        policyName: 'shared',
      });
      works.end(0);
      await works.reached(3);
      expect(counts(app, 'shared')).toEqual([2, 0, 1]);
      for (const index of [1, 2]) works.end(index);
      await Promise.all(calls);
    },
  );

  it('is described with its options also where it is only named', async () => {
    const { service } = await boot({ providers: [One, Two] });
    expect(service.describe(Two, 'm').policies).toEqual([
      { kind: 'bulkhead', options: { name: 'shared', maxConcurrent: 2, maxQueue: 1 } },
    ]);
  });

  it('is not shared by those that do not name it', async () => {
    const { app } = await boot({ providers: [One, Two] });
    void begin(app.get(Two).own());
    void begin(app.get(One).m());
    expect(counts(app, 'Two.own')).toEqual([1, 0, 0]);
    expect(counts(app, 'shared')).toEqual([1, 0, 0]);
  });

  it('is that of a pipeline for all who use it', async () => {
    @Injectable()
    class Three {
      @UsePipeline('storage')
      async m(): Promise<string> {
        return works.next();
      }
    }
    @Injectable()
    class Four {
      @UsePipeline('storage')
      async m(): Promise<string> {
        return works.next();
      }
    }
    const { app } = await boot({
      providers: [Three, Four],
      resilience: { pipelines: { storage: { bulkhead: 1 } } },
    });
    void begin(app.get(Three).m());
    expect((await begin(app.get(Four).m())).error).toMatchObject({ policyName: 'storage' });
  });

  it('may be defined twice alike', async () => {
    @Injectable()
    class Same {
      @Bulkhead({ name: 'shared', maxConcurrent: 2, maxQueue: 1 })
      async m(): Promise<string> {
        return works.next();
      }
    }
    const { app } = await boot({ providers: [One, Same] });
    for (const service of [One, Same]) void begin(app.get<One>(service).m());
    expect(counts(app, 'shared')).toEqual([2, 0, 0]);
  });
});

describe('a bulkhead on a class', () => {
  it('gives each method its own places', async () => {
    const works = new Works();
    @Injectable()
    @Bulkhead(1)
    class S {
      async one(): Promise<string> {
        return works.next();
      }
      async two(): Promise<string> {
        return works.next();
      }
      @Bulkhead(2)
      async three(): Promise<string> {
        return works.next();
      }
      helper(): number {
        return 1;
      }
    }
    const { app } = await boot({ providers: [S] });
    const service = app.get(S);
    for (const method of ['one', 'two', 'three', 'three'] as const) void begin(service[method]());
    for (const method of ['one', 'two', 'three'] as const) {
      expect((await begin(service[method]())).error).toMatchObject({
        ...full,
        policyName: `S.${method}`,
      });
    }
    expect(works.count).toBe(4);
    expect(service.helper()).toBe(1);
  });

  it('with a name is one for all methods', async () => {
    const works = new Works();
    @Injectable()
    @Bulkhead({ name: 'shelf', maxConcurrent: 1 })
    class S {
      async one(): Promise<string> {
        return works.next();
      }
      async two(): Promise<string> {
        return works.next();
      }
    }
    const { app } = await boot({ providers: [S] });
    void begin(app.get(S).one());
    expect((await begin(app.get(S).two())).error).toMatchObject({ policyName: 'shelf' });
  });

  it('gives each class that inherits the method its own places', async () => {
    const works = new Works();
    class Base {
      @Bulkhead(1)
      async m(): Promise<string> {
        return works.next();
      }
    }
    @Injectable()
    class One extends Base {}
    @Injectable()
    class Two extends Base {}
    const { app } = await boot({ providers: [One, Two] });
    void begin(app.get(One).m());
    void begin(app.get(Two).m());
    expect(counts(app, 'One.m')).toEqual([1, 0, 0]);
    expect(counts(app, 'Two.m')).toEqual([1, 0, 0]);
  });
});

describe('an Observable in a bulkhead', () => {
  @Injectable()
  class S {
    @Bulkhead({ name: 'streams', maxConcurrent: 1, maxQueue: 1 })
    stream(source: Observable<number>): Observable<number> {
      return source;
    }
  }

  async function set(): Promise<{
    service: S;
    now: () => [number, number, number];
  }> {
    const { app } = await boot({ providers: [S] });
    return { service: app.get(S), now: () => counts(app, 'streams') };
  }

  it('takes no place before somebody subscribes, and one for each that does', async () => {
    const { service, now } = await set();
    const stream = service.stream(new Subject());
    expect(now()).toEqual([0, 0, 0]);
    const subscriptions = [stream.subscribe(), stream.subscribe()];
    await settle();
    expect(now()).toEqual([1, 1, 0]);
    await expect(firstValueFrom(stream)).rejects.toMatchObject(full);
    for (const subscription of subscriptions) subscription.unsubscribe();
  });

  it.each<[string, (source: Subject<number>) => void]>([
    ['completes', (source) => source.complete()],
    ['fails', (source) => source.error(new Error('down'))],
  ])('has its place until it %s', async (_how, end) => {
    const { service, now } = await set();
    const source = new Subject<number>();
    const seen: unknown[] = [];
    service.stream(source).subscribe({ next: (item) => seen.push(item), error: () => {} });
    expect(now()).toEqual([1, 0, 0]);
    for (const item of [1, 2]) {
      source.next(item);
      await settle();
      expect(now()).toEqual([1, 0, 0]);
    }
    end(source);
    await settle();
    expect(seen).toEqual([1, 2]);
    expect(now()).toEqual([0, 0, 0]);
  });

  it.each<[string, Observable<number>]>([
    ['has a single item', just(1)],
    ['has two at once', just(1, 2)],
    ['is empty', EMPTY],
    ['fails at once', throwError(() => new Error('down'))],
  ])('has none to keep when it %s', async (_how, source) => {
    const { service, now } = await set();
    service.stream(source).subscribe({ error: () => {} });
    await settle();
    expect(now()).toEqual([0, 0, 0]);
  });

  it.each([
    ['before its first item', 0],
    ['after it', 1],
  ])('has it until it is left, %s', async (_when, items) => {
    const { service, now } = await set();
    let open = 0;
    const source = new Observable<number>((subscriber) => {
      open += 1;
      for (let i = 0; i < items; i++) subscriber.next(i);
      return () => (open -= 1);
    });
    const subscription = service.stream(source).subscribe();
    await settle();
    expect([open, ...now()]).toEqual([1, 1, 0, 0]);
    subscription.unsubscribe();
    await settle();
    expect([open, ...now()]).toEqual([0, 0, 0, 0]);
  });

  it('leaves the queue when it is left there, and is then never subscribed to', async () => {
    const { service, now } = await set();
    const source = new Subject<number>();
    service.stream(source).subscribe();
    let subscribed = false;
    const waiting = service.stream(new Observable(() => void (subscribed = true))).subscribe();
    await settle();
    expect(now()).toEqual([1, 1, 0]);
    waiting.unsubscribe();
    await settle();
    expect(now()).toEqual([1, 0, 0]);
    source.complete();
    await settle();
    expect(subscribed).toBe(false);
    expect(now()).toEqual([0, 0, 0]);
  });

  it('is subscribed to when a place comes free', async () => {
    const { service, now } = await set();
    const [first, second] = [new Subject<number>(), new Subject<number>()];
    service.stream(first).subscribe();
    const seen: number[] = [];
    service.stream(second).subscribe((item) => seen.push(item));
    second.next(1); // nobody is there yet
    first.next(1);
    await settle();
    expect(second.observed).toBe(false);
    first.complete();
    await settle();
    second.next(2);
    await settle();
    expect(seen).toEqual([2]);
    second.complete();
    expect(now()).toEqual([0, 0, 0]);
  });

  it.each([
    ['completes', (source: Subject<number>) => source.complete()],
    ['is left', (_: unknown, leave: () => void) => leave()],
  ])('gives its place back though its teardown throws when it %s', async (_how, end) => {
    const { service, now } = await set();
    const source = new Subject<number>();
    const throwing = new Observable<number>((subscriber) => {
      subscriber.add(source.subscribe(subscriber));
      return () => {
        throw new Error('teardown');
      };
    });
    const subscription = service.stream(throwing).subscribe();
    source.next(1);
    await settle();
    expect(now()).toEqual([1, 0, 0]);
    await outcome((async () => end(source, () => subscription.unsubscribe()))());
    await settle();
    expect(now()).toEqual([0, 0, 0]);
  });
});

describe('an async generator in a bulkhead', () => {
  @Injectable()
  class S {
    readonly ended: string[] = [];

    @Bulkhead({ name: 'items', maxConcurrent: 1, maxQueue: 1 })
    async *items(failAt = Infinity, @Signal() _signal?: AbortSignal): AsyncGenerator<number> {
      try {
        for (let i = 0; i < 3; i++) {
          if (i === failAt) throw new Error('midway');
          yield i;
        }
      } finally {
        this.ended.push('items');
      }
    }

    @Bulkhead({ name: 'endless', maxConcurrent: 1 })
    async *endless(@Signal() signal?: AbortSignal): AsyncGenerator<number> {
      yield 1;
      await new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    }

    @Bulkhead({ name: 'untidy', maxConcurrent: 1 })
    async *untidy(): AsyncGenerator<number> {
      try {
        yield 1;
        yield 2;
      } finally {
        await Promise.reject(new Error('cleaning up'));
      }
    }
  }

  async function set(): Promise<{ service: S; now: (name?: string) => [number, number, number] }> {
    const { app } = await boot({ providers: [S] });
    return { service: app.get(S), now: (name = 'items') => counts(app, name) };
  }

  it('takes no place before its first item is asked for', async () => {
    const { service, now } = await set();
    const items = service.items();
    await settle();
    expect(now()).toEqual([0, 0, 0]);
    await items.next();
    expect(now()).toEqual([1, 0, 0]);
  });

  it('has its place until it is through', async () => {
    const { service, now } = await set();
    const seen: number[] = [];
    for await (const item of service.items()) {
      seen.push(item);
      expect(now()).toEqual([1, 0, 0]);
    }
    expect(seen).toEqual([0, 1, 2]);
    expect(now()).toEqual([0, 0, 0]);
  });

  it.each([0, 1])('has it until it fails, after %i items', async (failAt) => {
    const { service, now } = await set();
    const items = service.items(failAt);
    for (let i = 0; i < failAt; i++) await items.next();
    await expect(items.next()).rejects.toThrow('midway');
    expect(now()).toEqual([0, 0, 0]);
  });

  it('has it until its consumer stops early', async () => {
    const { service, now } = await set();
    for await (const item of service.items()) {
      expect(now()).toEqual([1, 0, 0]);
      if (item === 1) break;
    }
    expect(service.ended).toEqual(['items']);
    expect(now()).toEqual([0, 0, 0]);
  });

  it('has it until its consumer throws into it', async () => {
    const { service, now } = await set();
    const items = service.items();
    await items.next();
    await expect(items.throw(new Error('no more'))).rejects.toThrow('no more');
    expect(now()).toEqual([0, 0, 0]);
  });

  it('gives its place back when a signal has stopped it in the middle of an item', async () => {
    const { service, now } = await set();
    const controller = new AbortController();
    const items = service.endless(controller.signal);
    await items.next();
    const second = begin(items.next());
    await settle();
    const reason = new Error('gone');
    controller.abort(reason);
    expect((await second).error).toBe(reason);
    expect(now('endless')).toEqual([0, 0, 0]);
  });

  it('begins when a place comes free', async () => {
    const { service, now } = await set();
    const first = service.items();
    await first.next();
    const waiting = service.items().next();
    await settle();
    expect(now()).toEqual([1, 1, 0]);
    await expect(service.items().next()).rejects.toMatchObject(full);
    await first.return(undefined);
    await expect(waiting).resolves.toEqual({ done: false, value: 0 });
    expect(now()).toEqual([1, 0, 1]);
  });

  it('gives its place back though its clean-up fails at the end', async () => {
    const { service, now } = await set();
    const items = service.untidy();
    for (let i = 0; i < 2; i++) await items.next();
    await expect(items.next()).rejects.toThrow('cleaning up');
    expect(now('untidy')).toEqual([0, 0, 0]);
  });

  it('gives its place back though its clean-up fails when its consumer stops early', async () => {
    const { service, now } = await set();
    const items = service.untidy();
    await items.next();
    await expect(items.return(undefined)).rejects.toThrow('cleaning up');
    expect(now('untidy')).toEqual([0, 0, 0]);
  });

  it('that is stopped by a signal gives its place back, though nobody asks for more', async () => {
    const { service, now } = await set();
    const controller = new AbortController();
    const items = service.items(Infinity, controller.signal);
    await items.next();
    controller.abort(new Error('gone'));
    await settle();
    expect(service.ended).toEqual(['items']);
    expect(now()).toEqual([0, 0, 0]);
  });
});

describe('beside other policies, a bulkhead', () => {
  it('is the innermost', async () => {
    @Injectable()
    class S {
      @Bulkhead({ maxConcurrent: 3 })
      @Timeout({ attempt: '1s', total: '5s' })
      @CircuitBreaker('shelf')
      @Retry()
      @Fallback(fallbackValue('answer'))
      async m(): Promise<string> {
        return 'live';
      }
    }
    const { service } = await boot({ providers: [S] });
    const { stages, policies } = service.describe(S, 'm');
    expect(stages).toEqual([
      'fallback',
      'total timeout',
      'retry',
      'circuit breaker',
      'attempt timeout',
      'bulkhead',
    ]);
    expect(policies).toContainEqual({ kind: 'bulkhead', options: { maxConcurrent: 3 } });
  });

  @Injectable()
  class S {
    readonly works = new Works();
    answer: (context: FallbackContext) => string | Promise<string> = () => 'answer';

    @Retry({ maxRetries: 5, backoff: constant(0) })
    @CircuitBreaker({ name: 'shelf', consecutiveFailures: 1, openFor: '5s' })
    @Bulkhead({ name: 'shelf', maxConcurrent: 1, maxQueue: 1, maxWait: '1s' })
    async books(): Promise<string> {
      return this.works.next();
    }

    @CircuitBreaker({ name: 'probed', consecutiveFailures: 1, openFor: '5s' })
    @Bulkhead({ name: 'one', maxConcurrent: 1 })
    async probed(): Promise<string> {
      return this.works.next();
    }

    @Bulkhead({ name: 'one' })
    async occupying(): Promise<string> {
      return this.works.next();
    }

    @Fallback('former')
    @Bulkhead({ name: 'answered', maxConcurrent: 1 })
    async answered(): Promise<string> {
      return this.works.next();
    }

    former(context: FallbackContext): string | Promise<string> {
      return this.answer(context);
    }

    @Fallback('former', { maxConcurrent: 1 })
    @CircuitBreaker('limited')
    async limited(): Promise<string> {
      throw new Error('down');
    }
  }

  it('rejects without being retried, and is no failure for the breaker, which counts it as what it is', async () => {
    const { app, clock, registry, events } = await boot({ providers: [S] });
    const service = app.get(S);
    const calls = [begin(service.books()), begin(service.books())];
    expect((await begin(service.books())).error).toMatchObject({ reason: 'full' });
    await clock.advance(1_000);
    expect((await calls[1]!).error).toMatchObject({ reason: 'max-wait' });
    expect(of('retry', events)).toEqual([]);
    expect(service.works.count).toBe(1);
    const shelf = registry.get('shelf');
    expect(shelf).toMatchObject({ state: 'closed', counts: { failures: 0, ignored: 2 } });
    expect(shelf.snapshot().metrics.counts).toMatchObject({
      failure: 0,
      ignored: 0,
      rejected: { circuitOpen: 0, bulkheadFull: 2 },
    });
    expect(bulkhead(app, 'shelf').rejected).toBe(2);
    service.works.end(0);
    expect((await calls[0]!).value).toBe('work 0');
  });

  it('takes no place for a call that the circuit breaker turns away', async () => {
    const { app, registry } = await boot({ providers: [S] });
    void begin(app.get(S).books());
    registry.get('shelf').forceOpen();
    expect((await begin(app.get(S).books())).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(counts(app, 'shelf')).toEqual([1, 0, 0]);
  });

  it('leaves the place of a probe that it turns away to the next', async () => {
    const { app, clock, registry } = await boot({ providers: [S] });
    const service = app.get(S);
    const failing = begin(service.probed());
    service.works.all[0]!.reject(new Error('down'));
    await failing;
    expect(registry.get('probed').state).toBe('open');
    await clock.advance(5_000);
    const other = begin(service.occupying());
    for (let i = 0; i < 3; i++) {
      expect((await begin(service.probed())).error).toMatchObject({ ...full, policyName: 'one' });
    }
    expect(registry.get('probed').state).toBe('half-open');
    service.works.end(1);
    await other;
    const probe = begin(service.probed());
    service.works.end(2);
    expect((await probe).value).toBe('work 2');
    expect(registry.get('probed').state).toBe('closed');
  });

  it('is answered for by a fallback, which is told that it was a rejection', async () => {
    const { app } = await boot({ providers: [S] });
    const service = app.get(S);
    const contexts: FallbackContext[] = [];
    service.answer = (context) => {
      contexts.push(context);
      return 'answer';
    };
    void begin(service.answered());
    await expect(service.answered()).resolves.toBe('answer');
    expect(contexts).toMatchObject([{ rejected: true, attempts: 1, error: full }]);
    expect(counts(app, 'answered')).toEqual([1, 0, 1]);
  });

  it('gives its place back before the fallback answers', async () => {
    const { app } = await boot({ providers: [S] });
    const service = app.get(S);
    const answer = deferred<string>();
    service.answer = () => answer.promise;
    const call = begin(service.answered());
    service.works.all[0]!.reject(new Error('down'));
    await settle();
    expect(counts(app, 'answered')).toEqual([0, 0, 0]);
    answer.resolve('answer');
    expect((await call).value).toBe('answer');
  });

  it('has a fallback with places of its own: a call beyond them keeps its error', async () => {
    const { app, registry, events } = await boot({ providers: [S] });
    const service = app.get(S);
    const answer = deferred<string>();
    service.answer = () => answer.promise;
    const first = begin(service.limited());
    await settle();
    expect((await begin(service.limited())).error).toEqual(new Error('down'));
    answer.resolve('answer');
    expect((await first).value).toBe('answer');
    await expect(service.limited()).resolves.toBe('answer');
    expect(of('rejected', events)).toEqual([
      { type: 'rejected', name: 'S.limited', policy: 'fallback', code: 'FALLBACK_FULL' },
    ]);
    expect(registry.get('limited').snapshot().metrics.counts.fallback).toEqual({
      success: 2,
      failure: 0,
      missing: 0,
      rejected: 1,
    });
  });
});

describe('BulkheadRegistry', () => {
  @Injectable()
  class One {
    readonly works = new Works();
    @Bulkhead({ name: 'shared', maxConcurrent: 1, maxQueue: 1 })
    async m(): Promise<string> {
      return this.works.next();
    }
    @Bulkhead()
    async own(): Promise<void> {}
  }

  it('shows a bulkhead by its name, as it is now', async () => {
    const { app } = await boot({ providers: [One] });
    const bulkheads = app.get(BulkheadRegistry);
    const empty = {
      name: 'shared',
      maxConcurrent: 1,
      maxQueue: 1,
      running: 0,
      waiting: 0,
      rejected: 0,
    };
    expect(bulkheads.get('shared')).toEqual(empty);
    const calls = [0, 1, 2].map(() => begin(app.get(One).m()));
    await calls[2];
    expect(bulkheads.get('shared')).toEqual({ ...empty, running: 1, waiting: 1, rejected: 1 });
    app.get(One).works.end(0);
    await app.get(One).works.reached(2);
    app.get(One).works.end(1);
    await Promise.all(calls);
    expect(bulkheads.get('shared')).toEqual({ ...empty, rejected: 1 });
  });

  it('lists all, in the order of their declaration', async () => {
    const { app } = await boot({ providers: [One] });
    const bulkheads = app.get(BulkheadRegistry);
    expect(bulkheads.names()).toEqual(['shared', 'One.own']);
    expect(Array.from(bulkheads, ({ name, running }) => [name, running])).toEqual([
      ['shared', 0],
      ['One.own', 0],
    ]);
    expect([bulkheads.has('shared'), bulkheads.has('unknown')]).toEqual([true, false]);
  });

  it('says which there are when it has none of a name', async () => {
    const { app } = await boot({ providers: [One] });
    expect(() => app.get(BulkheadRegistry).get('unknown')).toThrow(
      'there is no bulkhead "unknown"; there are "shared", "One.own"',
    );
    const { app: empty } = await boot();
    expect(() => empty.get(BulkheadRegistry).get('unknown')).toThrow(
      'there is no bulkhead "unknown"; there are none',
    );
  });

  it('can be injected, by its class or by its token', async () => {
    @Injectable()
    class Operations {
      constructor(readonly bulkheads: BulkheadRegistry) {}
    }
    const { app } = await boot({ providers: [Operations, One] });
    const { bulkheads } = app.get(Operations);
    expect(bulkheads).toBe(app.get(BulkheadRegistry));
    expect(bulkheads).toBe(app.get(BULKHEAD_REGISTRY));
  });

  it('knows those of its own application only', async () => {
    const [one, two] = [await boot({ providers: [One] }), await boot({ providers: [One] })];
    void begin(one.app.get(One).m());
    expect(counts(one.app, 'shared')).toEqual([1, 0, 0]);
    expect(counts(two.app, 'shared')).toEqual([0, 0, 0]);
  });
});

describe('a bulkhead that is configured wrongly refuses to start', () => {
  /** What decorators are given here the compiler refuses: it could come from JavaScript or from the environment. */
  const wrong = (given: unknown): never => given as never;

  /** A provider with a method for each of these options. */
  function withOptions(name: string, all: readonly unknown[]): Type {
    const made = { [name]: class {} }[name]!;
    all.forEach((options, index) => {
      const method = { [`m${index}`]: async (): Promise<void> => {} }[`m${index}`]!;
      const descriptor = { value: method, configurable: true, writable: true };
      (Bulkhead(wrong(options)) as MethodDecorator)(made.prototype, `m${index}`, descriptor);
      Object.defineProperty(made.prototype, `m${index}`, descriptor);
    });
    Injectable()(made);
    return made;
  }

  async function problemsOf(
    providers: readonly Type[],
    resilience: object = {},
  ): Promise<readonly string[]> {
    const { error } = await outcome(boot({ providers: [...providers], resilience }));
    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    return (error as ResilienceConfigurationError).problems;
  }

  it('and tells of all bad options at once', async () => {
    const forms = `milliseconds or a duration such as '500ms', '2s', '1.5m', '1h'`;
    const cases: [unknown, string][] = [
      [{ maxConcurrent: 0 }, 'maxConcurrent is 0; use a whole number of at least 1'],
      [{ maxConcurrent: 1.5 }, 'maxConcurrent is 1.5; use a whole number of at least 1'],
      [{ maxConcurrent: '5' }, `maxConcurrent is '5'; use a whole number of at least 1`],
      [0, 'maxConcurrent is 0; use a whole number of at least 1'],
      [NaN, 'maxConcurrent is NaN; use a whole number of at least 1'],
      ['5', `the options are '5'; use an object`],
      [{ maxQueue: -1 }, 'maxQueue is -1; use a whole number of at least 0'],
      [{ maxWait: '1s' }, 'maxWait has no effect without maxQueue, as nobody waits; give both'],
      [{ maxQueue: 1, maxWait: '0s' }, `maxWait is '0s'; use ${forms} above 0`],
      [{ maxQueue: 1, maxWait: 'soon' }, `maxWait is 'soon'; use ${forms} above 0`],
      [{ name: '' }, `name is ''; use a non-empty string`],
      [
        { maxConcurrency: 5 },
        'maxConcurrency is not an option; the options are maxQueue, maxWait, name, maxConcurrent, reentrant, key, maxKeys',
      ],
      [
        { config: 'wide' },
        `config is 'wide', which forRoot({ configs }) does not have; it has none`,
      ],
    ];
    const S = withOptions(
      'S',
      cases.map(([options]) => options),
    );
    await expect(problemsOf([S])).resolves.toEqual(
      cases.map(([, problem], index) => `S.m${index} @Bulkhead: ${problem}`),
    );
  });

  it('and tells where an option comes from', async () => {
    const S = withOptions('S', [3]);
    await expect(
      problemsOf([S], {
        defaults: { bulkhead: { maxWait: '1s' } },
        overrides: { 'S.m0': { bulkhead: 0 } },
      }),
    ).resolves.toEqual([
      'S.m0 @Bulkhead: maxWait has no effect without maxQueue, as nobody waits; give both',
      `S.m0 @Bulkhead: maxConcurrent (from overrides['S.m0']) is 0; use a whole number of at least 1`,
    ]);
  });

  it('when two define the same name differently, and names both', async () => {
    const One = withOptions('One', [{ name: 'shared', maxConcurrent: 1 }]);
    const Two = withOptions('Two', [{ name: 'shared', maxConcurrent: 2, maxQueue: 5 }]);
    await expect(problemsOf([One, Two])).resolves.toEqual([
      'Two.m0 @Bulkhead: "shared" has other options at One.m0 @Bulkhead: maxConcurrent is 1 there and 2 here, maxQueue is undefined there and 5 here; use the same ones, or put them into forRoot({ configs })',
    ]);
  });

  it('when two classes of one name would share the places', async () => {
    await expect(
      problemsOf([withOptions('Namesake', [1]), withOptions('Namesake', [1])]),
    ).resolves.toEqual([
      expect.stringContaining(
        'Namesake.m0 @Bulkhead: another class is called Namesake too, and both would share "Namesake.m0"',
      ),
    ]);
  });

  it('when a fallback has no places', async () => {
    @Injectable()
    class S {
      @Fallback(fallbackValue(1), { maxConcurrent: 0 })
      async m(): Promise<number> {
        return 1;
      }
    }
    await expect(problemsOf([S])).resolves.toEqual([
      'S.m @Fallback: maxConcurrent is 0; use a whole number of at least 1',
    ]);
  });
});

describe('when the application closes', () => {
  @Injectable()
  class S {
    readonly works = new Works();
    @Bulkhead({ maxConcurrent: 1, maxQueue: 5, maxWait: '1h' })
    async m(): Promise<string> {
      return this.works.next();
    }
  }

  it('those who wait for a place are sent away, those who have one go on, and no timer is left', async () => {
    const { AppModule, clock } = appModule({ providers: [S] });
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const service = app.get(S);
    const calls = [0, 1, 2].map(() => begin(service.m()));
    await settle();
    expect(clock.pending).toBe(1);
    await app.close();
    for (const call of calls.slice(1)) {
      expect((await call).error).toMatchObject({
        code: 'BULKHEAD_FULL',
        reason: 'closing',
        retryAfterMs: undefined,
      });
    }
    expect((await begin(service.m())).error).toMatchObject({ reason: 'closing' });
    expect(clock.pending).toBe(0);
    service.works.end(0);
    expect((await calls[0]!).value).toBe('work 0');
    expect(service.works.count).toBe(1);
  });
});

describe.each(everyPlatform)('a bulkhead on %s', (platform: Platform) => {
  const serving = (controller: Type, ...providers: Type[]): Promise<Served> =>
    serve(platform, { controllers: [controller], providers });

  it('answers with 503, Retry-After and a JSON body that tells nothing of the inside', async () => {
    const works = new Works();
    @Controller()
    class K {
      @Get()
      @Bulkhead({ name: 'secret-upstream', maxConcurrent: 1 })
      async get(): Promise<string> {
        return works.next();
      }
    }
    const { url, clock } = await serving(K);
    const first = fetch(url);
    await works.reached(1);
    await clock.advance(2_300);
    works.end(0);
    expect(await (await first).text()).toBe('work 0');
    const second = fetch(url);
    await works.reached(2);
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('3');
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.json()).toEqual({
      statusCode: 503,
      message: 'Service Unavailable',
      error: 'Service Unavailable',
      code: 'BULKHEAD_FULL',
    });
    works.end(1);
    expect((await second).status).toBe(200);
    expect(works.count).toBe(2);
  });

  it('of a service below an undecorated handler is answered for alike', async () => {
    const works = new Works();
    @Injectable()
    class Shelf {
      @Bulkhead(1)
      async books(): Promise<string> {
        return works.next();
      }
    }
    @Controller()
    class K {
      constructor(readonly shelf: Shelf) {}
      @Get()
      get(): Promise<string> {
        return this.shelf.books();
      }
    }
    Reflect.defineMetadata('design:paramtypes', [Shelf], K);
    const { url } = await serving(K, Shelf);
    const first = fetch(url);
    await works.reached(1);
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ code: 'BULKHEAD_FULL' });
    works.end(0);
    expect((await first).status).toBe(200);
  });

  it('has requests wait their turn', async () => {
    const works = new Works();
    @Controller()
    @Bulkhead({ name: 'k', maxConcurrent: 1, maxQueue: 1 })
    class K {
      @Get('one')
      async one(): Promise<string> {
        return `one, ${await works.next()}`;
      }
      @Get('two')
      async two(): Promise<string> {
        return `two, ${await works.next()}`;
      }
    }
    const { app, url } = await serving(K);
    const first = fetch(`${url}/one`);
    await works.reached(1);
    const second = fetch(`${url}/two`);
    await until(() => bulkhead(app, 'k').waiting === 1);
    expect((await fetch(`${url}/two`)).status).toBe(503);
    works.end(0);
    expect(await (await first).text()).toBe('one, work 0');
    await works.reached(2);
    works.end(1);
    expect(await (await second).text()).toBe('two, work 1');
    expect(counts(app, 'k')).toEqual([0, 0, 1]);
  });

  it('is left by a client that goes while its request waits', async () => {
    const works = new Works();
    @Controller()
    class K {
      @Get()
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
      async get(): Promise<string> {
        return works.next();
      }
    }
    const { app, url } = await serving(K);
    const first = fetch(url);
    await works.reached(1);
    const { disconnect } = request(url);
    await until(() => bulkhead(app, 'K.get').waiting === 1);
    disconnect();
    await until(() => bulkhead(app, 'K.get').waiting === 0);
    expect(counts(app, 'K.get')).toEqual([1, 0, 0]);
    works.end(0);
    await (await first).text();
    await settle();
    expect(works.count).toBe(1);
  });

  it('of a service below that was given the signal of the handler is left too when its client goes', async () => {
    const works = new Works();
    @Injectable()
    class Shelf {
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
      async books(@Signal() _signal?: AbortSignal): Promise<string> {
        return works.next();
      }
    }
    @Controller()
    class K {
      constructor(readonly shelf: Shelf) {}
      @Get()
      @Timeout('1m')
      async get(@Signal() signal: AbortSignal): Promise<string> {
        return this.shelf.books(signal);
      }
    }
    Reflect.defineMetadata('design:paramtypes', [Shelf], K);
    const { app, url } = await serving(K, Shelf);
    const first = fetch(url);
    await works.reached(1);
    const { disconnect } = request(url);
    await until(() => bulkhead(app, 'Shelf.books').waiting === 1);
    disconnect();
    await until(() => bulkhead(app, 'Shelf.books').waiting === 0);
    works.end(0);
    await (await first).text();
    expect(works.count).toBe(1);
  });

  it('keeps the place of a handler whose client has gone until that has ended', async () => {
    const works = new Works();
    @Controller()
    class K {
      @Get()
      @Bulkhead(1)
      async get(): Promise<string> {
        return works.next();
      }
    }
    const { app, url, events } = await serving(K);
    const { disconnect } = request(url);
    await works.reached(1);
    disconnect();
    await until(() => of('attempt', events).length === 1);
    expect((await fetch(url)).status).toBe(503);
    works.end(0);
    await until(() => bulkhead(app, 'K.get').running === 0);
  });

  it('keeps the place of a handler that has timed out until that has ended', async () => {
    const works = new Works();
    @Controller()
    class K {
      @Get()
      @Timeout('1s')
      @Bulkhead(1)
      async get(): Promise<string> {
        return works.next();
      }
    }
    const { app, url, clock } = await serving(K);
    const answer = fetch(url);
    await works.reached(1);
    await clock.advance(1_000);
    expect((await answer).status).toBe(504);
    expect((await fetch(url)).status).toBe(503);
    works.end(0);
    await until(() => bulkhead(app, 'K.get').running === 0);
  });

  // `Call.runningWork` is still that of the first attempt.
  it('is left by a later attempt that times out in the queue, though the work of the first goes on', async () => {
    const works = new Works();
    @Controller()
    class K {
      @Get()
      @Retry({ maxRetries: 1, backoff: constant(0) })
      @Timeout('1s')
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
      async get(): Promise<string> {
        return works.next();
      }
    }
    const { app, url, clock } = await serving(K);
    const answer = fetch(url);
    await works.reached(1);
    await clock.advance(1_000);
    expect(counts(app, 'K.get')).toEqual([1, 1, 0]);
    await clock.advance(1_000);
    expect((await answer).status).toBe(504);
    expect(counts(app, 'K.get')).toEqual([1, 0, 0]);
    works.end(0);
    await settle();
    expect(counts(app, 'K.get')).toEqual([0, 0, 0]);
    expect(works.count).toBe(1);
  });

  it('keeps the place of a handler that an inner interceptor no longer waits for until that has ended', async () => {
    const works = new Works();
    const impatience = new Subject<never>();
    class Impatient implements NestInterceptor {
      intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
        const timeout = impatience.pipe(
          mergeMap(() => throwError(() => new RequestTimeoutException())),
        );
        return race(next.handle(), timeout);
      }
    }
    @Controller()
    class K {
      @Get()
      @UseInterceptors(Impatient)
      @Bulkhead(1)
      async get(): Promise<string> {
        return works.next();
      }
    }
    const { app, url } = await serving(K);
    const answer = fetch(url);
    await works.reached(1);
    impatience.next(undefined as never);
    expect((await answer).status).toBe(408);
    expect(counts(app, 'K.get')).toEqual([1, 0, 0]);
    works.end(0);
    await until(() => bulkhead(app, 'K.get').running === 0);
  });

  it('keeps the place of an event stream until its client goes', async () => {
    const source = new Subject<object>();
    @Controller()
    class K {
      @Sse('events')
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
      events(): Observable<object> {
        return source;
      }
    }
    const { app, url } = await serving(K);
    const first = request(`${url}/events`);
    await until(() => source.observed);
    source.next({ data: 'first' });
    expect(await first.begun).toContain('first');
    expect(counts(app, 'K.events')).toEqual([1, 0, 0]);
    first.disconnect();
    await until(() => bulkhead(app, 'K.events').running === 0);
    expect(source.observed).toBe(false);
  });

  it('gives the place of a handler back before its fallback answers', async () => {
    const works = new Works();
    const answer = deferred<string>();
    @Controller()
    class K {
      @Get()
      @Fallback(() => answer.promise)
      @Bulkhead(1)
      async get(): Promise<string> {
        return works.next();
      }
    }
    const { app, url } = await serving(K);
    const response = fetch(url);
    await works.reached(1);
    works.all[0]!.reject(new BadGatewayException());
    await until(() => bulkhead(app, 'K.get').running === 0);
    answer.resolve('answer');
    expect(await (await response).text()).toBe('answer');
  });

  it('sends away those who wait when the application closes, and lets the others end', async () => {
    const works = new Works();
    @Controller()
    class K {
      @Get()
      @Bulkhead({ maxConcurrent: 1, maxQueue: 1 })
      async get(): Promise<string> {
        return works.next();
      }
    }
    const { app, url } = await serving(K);
    const first = request(url);
    await works.reached(1);
    const second = request(url);
    await until(() => bulkhead(app, 'K.get').waiting === 1);
    const closed = app.close();
    const { status, headers, body } = await second.answer;
    expect(status).toBe(503);
    expect(headers['retry-after']).toBeUndefined();
    expect(JSON.parse(body)).toMatchObject({ code: 'BULKHEAD_FULL' });
    works.end(0);
    expect((await first.answer).body).toBe('work 0');
    await closed;
    expect(works.count).toBe(1);
  });
});

it('a rejection is known as one of ours, by its code', async () => {
  @Injectable()
  class S {
    @Bulkhead(1)
    async m(): Promise<void> {
      return new Promise(() => {});
    }
  }
  const { app } = await boot({ providers: [S] });
  void begin(app.get(S).m());
  const { error } = await begin(app.get(S).m());
  expect(isResilienceError(error, 'BULKHEAD_FULL')).toBe(true);
});
