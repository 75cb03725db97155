import { Injectable, Scope } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Bulkhead, BulkheadFullError, Signal, Timeout, isResilienceError } from '../src/index.js';
import { appModule, boot, closeAll } from './support/boot.js';
import { Works, counts, full, begin } from './support/bulkhead-calls.js';
import { settle } from './support/wait.js';

afterEach(closeAll);

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

  it('that has timed out keeps its place until it has really ended', async () => {
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

  it('emits events', async () => {
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

describe('when the application closes', () => {
  @Injectable()
  class S {
    readonly works = new Works();
    @Bulkhead({ maxConcurrent: 1, maxQueue: 5, maxWait: '1h' })
    async m(): Promise<string> {
      return this.works.next();
    }
  }

  it('calls that wait for a place are rejected, those that have one go on, and no timer is left', async () => {
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

it('a rejection is recognized as one of ours, by its code', async () => {
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
