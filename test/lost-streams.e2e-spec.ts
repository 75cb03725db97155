import { Readable } from 'node:stream';
import { Controller, Get, Injectable } from '@nestjs/common';
import { Observable, firstValueFrom, of as just } from 'rxjs';
import { Bulkhead, CircuitBreaker, Retry, Timeout, constant } from '../src/index.js';
import { boot, closeAll, everyPlatform, serve } from './support/boot.js';
import { hostProcess } from './support/process.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

const HOW = 'declare its return type as Observable<…>';

describe('a method that returns an undeclared stream', () => {
  /** The declared type when `Observable` is imported by `import type`. */
  type Erased<T> = Omit<Observable<T>, never>;

  function erased(): Erased<number> {
    return just(1);
  }

  it('throws an explanation to its caller, and nothing is lost', async () => {
    @Injectable()
    class S {
      @CircuitBreaker()
      @Bulkhead(1)
      @Retry()
      m(): Promise<number> {
        return erased() as unknown as Promise<number>;
      }
    }
    const unhandled = jest.fn();
    hostProcess.on('unhandledRejection', unhandled);
    const { app, registry } = await boot({ providers: [S] });
    for (let call = 0; call < 3; call++) {
      expect(() => app.get(S).m()).toThrow(new RegExp(`^S\\.m returned a stream.*${HOW}`));
    }
    await new Promise(setImmediate);
    hostProcess.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    const { counts, state } = registry.get('S.m');
    expect({ state, failures: counts.failures, successes: counts.successes }).toEqual({
      state: 'closed',
      failures: 0,
      successes: 0,
    });
  });

  it('does so even if the call can be interrupted', async () => {
    @Injectable()
    class S {
      @Timeout('1s')
      m(): Promise<number> {
        return erased() as unknown as Promise<number>;
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    expect(() => app.get(S).m()).toThrow('S.m returned a stream');
    await clock.advance(2_000);
  });

  it('rejects with it in a second attempt', async () => {
    @Injectable()
    class S {
      calls = 0;
      @Retry({ backoff: constant(0) })
      m(): Promise<number> {
        if (++this.calls === 1) return Promise.reject(new Error('down'));
        return erased() as unknown as Promise<number>;
      }
    }
    const { app, clock } = await boot({ providers: [S] });
    const call = outcome(app.get(S).m());
    await clock.advance(10);
    expect((await call).error).toMatchObject({ message: expect.stringContaining(HOW) as string });
  });

  it('does not affect query builders that are promises too', async () => {
    class Query {
      sent = 0;
      then(resolve: (rows: number[]) => void): void {
        this.sent += 1;
        resolve([1]);
      }
      async *[Symbol.asyncIterator](): AsyncGenerator<number> {}
    }
    const query = new Query();
    @Injectable()
    class S {
      @Retry()
      find(): Promise<number[]> {
        return query as unknown as Promise<number[]>;
      }
    }
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).find()).resolves.toEqual([1]);
    expect(query.sent).toBe(1);
  });
});

describe('a method that resolves to an Observable', () => {
  it('rejects with an explanation, since no policy would see its end', async () => {
    @Injectable()
    class S {
      @CircuitBreaker()
      @Retry()
      async find(): Promise<Observable<number>> {
        return just(1);
      }
    }
    const { app, registry } = await boot({ providers: [S] });
    await expect(app.get(S).find()).rejects.toThrow(
      /^S\.find resolved to an Observable.*firstValueFrom/,
    );
    expect(registry.get('S.find').counts.successes).toBe(0);
  });

  it('does so with a timeout around it too', async () => {
    @Injectable()
    class S {
      @Timeout('1s')
      async find(): Promise<Observable<number>> {
        return just(1);
      }
    }
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).find()).rejects.toThrow('S.find resolved to an Observable');
  });

  it('is distinguished from one that resolves to another stream, or to a hostile value', async () => {
    const hostile = new Proxy(
      {},
      {
        get: (_, key) => {
          if (key === 'then') return undefined;
          throw new Error('hostile');
        },
      },
    );
    @Injectable()
    class S {
      @Retry()
      async file(): Promise<Readable> {
        return Readable.from(['a']);
      }
      @Retry()
      async hostile(): Promise<object> {
        return hostile;
      }
    }
    const { app } = await boot({ providers: [S] });
    await expect(app.get(S).file()).resolves.toBeInstanceOf(Readable);
    expect((await outcome(app.get(S).hostile())).value === hostile).toBe(true);
  });

  it.each(everyPlatform)('is right on a handler: Nest subscribes, on %s', async (platform) => {
    @Controller()
    class K {
      @Get()
      @Retry()
      async find(): Promise<Observable<string>> {
        return just('found');
      }
    }
    const { url, app } = await serve(platform, { controllers: [K] });
    expect(await (await fetch(url)).text()).toBe('found');
    // As a hybrid application calls it, without the interceptor.
    await expect(firstValueFrom(await app.get(K).find())).resolves.toBe('found');
  });
});
