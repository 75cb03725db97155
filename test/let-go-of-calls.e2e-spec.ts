import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitBreakerRegistry,
  Fallback,
  ResilienceModule,
  Retry,
  Signal,
  Timeout,
  constant,
} from '../src/index.js';
import { ManualClock } from '../src/testing/index.js';
import { boot, closeAll } from './support/boot.js';
import { Remembered } from './support/let-go.js';
import { outcome, settle } from './support/wait.js';

afterEach(closeAll);
jest.setTimeout(60_000); // collecting garbage takes its time

/** An object that is noticed when it is kept. */
const heavy = (): { data: Buffer } => ({ data: Buffer.alloc(1_000) });

describe('a call with many retries', () => {
  it('does not keep the results of abandoned attempts', async () => {
    const seen = new Remembered();
    const late: ((value: object) => void)[] = [];
    @Injectable()
    class Books {
      @Retry({ maxRetries: 40, backoff: constant(10), maxElapsedTime: '1h' })
      @Timeout('50ms')
      list(): Promise<object> {
        return new Promise((resolve) => late.push(resolve));
      }
    }
    const { app, clock } = await boot({ providers: [Books] });
    const call = outcome(app.get(Books).list());
    for (let i = 0; i < 30; i++) {
      await clock.advance(60);
      late.shift()!(seen.add(heavy()));
    }
    await settle();
    expect(seen.refs).toHaveLength(30);
    await expect(seen.left(2)).resolves.toBeLessThanOrEqual(2);
    await clock.advance(10_000);
    await call;
  });

  it('does not keep the errors of earlier attempts', async () => {
    const seen = new Remembered();
    @Injectable()
    class Books {
      @Retry({ maxRetries: 1_000, backoff: constant(10), maxElapsedTime: '1h' })
      async list(): Promise<object> {
        throw seen.add(Object.assign(new Error('down'), heavy()));
      }
    }
    const { app, clock, events } = await boot({ providers: [Books] });
    const call = outcome(app.get(Books).list());
    await clock.advance(300);
    expect(seen.refs.length).toBeGreaterThan(25);
    events.length = 0; // they tell of errors
    await expect(seen.left(3)).resolves.toBeLessThanOrEqual(3);
    await clock.advance(20_000);
    await call;
  });
});

describe('an object that outlives a call', () => {
  it('keeps no call as a signal of many calls', async () => {
    const seen = new Remembered();
    @Injectable()
    class Books {
      @Retry()
      @Timeout('1s')
      @Bulkhead({ maxConcurrent: 5, maxQueue: 50 })
      async list(request: object, @Signal() _signal?: AbortSignal): Promise<object> {
        await settle();
        return seen.add({ request });
      }
    }
    const { app } = await boot({ providers: [Books] });
    const { signal } = new AbortController();
    const call = async (): Promise<void> =>
      void (await app.get(Books).list(seen.add(heavy()), signal));
    await Promise.all(Array.from({ length: 30 }, call));
    await expect(seen.left(4)).resolves.toBeLessThanOrEqual(4);
    expect(signal.aborted).toBe(false);
  });

  it('keeps no error of another call as an error that a fallback throws again and again', async () => {
    const seen = new Remembered();
    const constantError = new Error('always the same');
    @Injectable()
    class Books {
      @Fallback(() => {
        throw constantError;
      })
      async list(): Promise<object> {
        throw seen.add(Object.assign(new Error('down'), heavy()));
      }
    }
    const { app, events } = await boot({ providers: [Books] });
    for (let i = 0; i < 20; i++) await outcome(app.get(Books).list());
    events.length = 0; // they tell of errors
    // The newest may be the cause of the error as it was thrown last.
    await expect(seen.left(2)).resolves.toBeLessThanOrEqual(2);
    expect(constantError.message).toBe('always the same');
  });

  it('is not a breaker of a key that was replaced by another', async () => {
    const seen = new Remembered();
    @Injectable()
    class Books {
      @CircuitBreaker({ name: 'hosts', maxKeys: 5, key: (host: string) => host })
      async list(host: string): Promise<string> {
        return host;
      }
    }
    const { app, clock } = await boot({ providers: [Books] });
    const registry = app.get(CircuitBreakerRegistry);
    for (let i = 0; i < 30; i++) {
      await app.get(Books).list(`host${i}`);
      if (registry.has(`hosts[host${i}]`)) seen.add(registry.get(`hosts[host${i}]`));
      await clock.advance(400_000);
    }
    expect(seen.refs.length).toBeGreaterThan(20);
    await expect(seen.left(7)).resolves.toBeLessThanOrEqual(7);
  });
});

describe('an application', () => {
  @Injectable()
  class Kept {
    @Retry()
    @Timeout('1s')
    async list(): Promise<string> {
      return 'ok';
    }
  }

  /** Starts, is used, and closes; `kept` and the class live on. */
  async function live(seen: Remembered, kept: Kept): Promise<void> {
    class AppModule {}
    Module({
      imports: [ResilienceModule.forRoot({ clock: new ManualClock(), logger: false })],
      providers: [Kept, { provide: 'kept', useValue: kept }],
    })(AppModule);
    const context = { logger: false, abortOnError: false } as const;
    const app = seen.add(await NestFactory.createApplicationContext(AppModule, context));
    seen.add(app.get(CircuitBreakerRegistry));
    await app.get(Kept).list();
    await kept.list();
    await app.close();
  }

  it('is released after its close, even if its classes and outside instances live on', async () => {
    const seen = new Remembered();
    const kept = [];
    for (let i = 0; i < 10; i++) {
      kept.push(new Kept());
      await live(seen, kept.at(-1)!);
    }
    expect(seen.refs).toHaveLength(20);
    await expect(seen.left(2)).resolves.toBeLessThanOrEqual(2);
    for (const each of kept) await expect(each.list()).resolves.toBe('ok');
  });

  it('is released after a failed start', async () => {
    const seen = new Remembered();
    class Marker {
      constructor() {
        seen.add(this);
      }
    }
    for (let i = 0; i < 10; i++) {
      class AppModule {}
      Module({
        imports: [ResilienceModule.forRoot({ clock: new ManualClock(), logger: false })],
        providers: [
          Kept,
          { provide: 'marker', useFactory: () => new Marker() },
          {
            provide: 'broken',
            useValue: {
              onApplicationBootstrap() {
                throw new Error('the database is down');
              },
            },
          },
        ],
      })(AppModule);
      await expect(
        NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false }),
      ).rejects.toThrow('the database is down');
    }
    expect(seen.refs).toHaveLength(10);
    await expect(seen.left(1)).resolves.toBeLessThanOrEqual(1);
  });
});
