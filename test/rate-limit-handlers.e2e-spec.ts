import { Controller, Get, Injectable, Res, type Type } from '@nestjs/common';
import { Fallback, RateLimit, RateLimitRegistry, Retry } from '../src/index.js';
import { MemoryStore } from '../src/testing/index.js';
import { type Platform, closeAll, everyPlatform, serve } from './support/boot.js';
import { answersRejections } from './support/handlers.js';
import { request } from './support/http.js';
import { until } from './support/wait.js';

afterEach(closeAll);

const body = {
  statusCode: 429,
  message: 'Too Many Requests',
  error: 'Too Many Requests',
  code: 'RATE_LIMITED',
};

const headersOf = ({ headers }: Response): (string | null)[] =>
  ['retry-after', 'ratelimit-policy', 'ratelimit'].map((name) => headers.get(name));

describe.each(everyPlatform)('a rate limit on %s', (platform: Platform) => {
  it('answers with 429 and headers that reveal no internals', async () => {
    @Controller()
    class Secret {
      @Get()
      @Retry()
      @RateLimit({ name: 'secret-upstream', limit: 2, per: '1m' })
      async get(): Promise<string> {
        return 'ok';
      }
    }
    const { url, clock } = await serve(platform, { controllers: [Secret] });
    for (let call = 0; call < 2; call++) expect((await fetch(url)).status).toBe(200);
    await clock.advance(25_500);
    const response = await fetch(url);
    expect(response.status).toBe(429);
    expect(headersOf(response)).toEqual(['5', '"default";q=2;w=60', '"default";r=0;t=5']);
    expect(response.headers.get('content-type')).toContain('application/json');
    const text = await response.text();
    expect(JSON.parse(text)).toEqual(body);
    expect(text + JSON.stringify([...response.headers])).not.toMatch(/secret/i);
    await clock.advance(4_500);
    const next = await fetch(url);
    expect([next.status, ...headersOf(next)]).toEqual([200, null, null, null]);
  });

  it('gives periods in whole seconds, and no time for a call that can never be allowed', async () => {
    @Controller()
    class K {
      @Get('short')
      @RateLimit({ limit: 1, per: '250ms' })
      async short(): Promise<string> {
        return 'ok';
      }

      @Get('long')
      @RateLimit({ limit: 30, per: '1.5s', burst: 1 })
      async long(): Promise<string> {
        return 'ok';
      }

      @Get('dear')
      @RateLimit({ limit: 3, per: '1h', cost: () => 4 })
      async dear(): Promise<string> {
        return 'ok';
      }
    }
    const { url } = await serve(platform, { controllers: [K] });
    const second = async (path: string): Promise<(string | null)[]> => {
      await fetch(url + path);
      return headersOf(await fetch(url + path));
    };
    expect(await second('/short')).toEqual(['1', '"default";q=4;w=1', '"default";r=0;t=1']);
    expect(await second('/long')).toEqual(['1', '"default";q=40;w=2', '"default";r=0;t=1']);
    expect(await second('/dear')).toEqual([null, '"default";q=3;w=3600', '"default";r=3']);
  });

  it('gives the remaining calls in each answer, if so configured', async () => {
    @Controller()
    class Secret {
      @Get()
      @RateLimit({ name: 'secret-upstream', limit: 3, per: '1m', headers: true })
      async get(): Promise<string> {
        return 'ok';
      }

      @Get('answered')
      @Fallback(() => 'instead')
      @RateLimit({ name: 'secret-upstream', headers: true })
      async answered(): Promise<string> {
        return 'ok';
      }

      @Get('broken')
      @RateLimit({ limit: 10, headers: true })
      async broken(): Promise<string> {
        throw new Error('no');
      }

      @Get('sent')
      @RateLimit({ limit: 10, headers: true })
      async sent(@Res() response: { send(body: string): void }): Promise<void> {
        response.send('ok');
      }

      @Get('untold')
      @RateLimit({ name: 'secret-upstream' })
      async untold(): Promise<string> {
        return 'ok';
      }
    }
    const { url, clock } = await serve(platform, { controllers: [Secret] });
    const policy = '"default";q=3;w=60';
    const told = async (path = ''): Promise<unknown[]> => {
      const response = await fetch(`${url}/${path}`);
      expect(JSON.stringify([...response.headers])).not.toMatch(/secret/i);
      return [response.status, ...headersOf(response)];
    };
    expect(await told()).toEqual([200, null, policy, '"default";r=2;t=20']);
    await clock.advance(5_000);
    expect(await told('answered')).toEqual([200, null, policy, '"default";r=1;t=15']);
    expect(await told()).toEqual([200, null, policy, '"default";r=0;t=15']);
    expect(await told()).toEqual([429, '15', policy, '"default";r=0;t=15']);
    expect(await told('answered')).toEqual([200, null, policy, '"default";r=0;t=15']);
    await clock.advance(60_000);
    expect(await told('untold')).toEqual([200, null, null, null]);
    const other = ['"default";q=10;w=1', '"default";r=9;t=1'];
    expect(await told('broken')).toEqual([500, null, ...other]);
    expect(await told('sent')).toEqual([200, null, ...other]);
  });

  it('gives the remaining calls after a wait, and those of all instances', async () => {
    @Controller()
    class K {
      @Get('patient')
      @RateLimit({ limit: 1, per: '10s', maxWait: '1m', headers: true })
      async patient(): Promise<string> {
        return 'ok';
      }

      @Get('shared')
      @RateLimit({ name: 'fleet', limit: 2, per: '10s', scope: 'shared', headers: true })
      async shared(): Promise<string> {
        return 'ok';
      }
    }
    const store = new MemoryStore();
    const { url, app, clock } = await serve(platform, {
      controllers: [K as Type],
      resilience: { store },
    });
    const patient = (): Promise<Response> => fetch(`${url}/patient`);
    await patient();
    const waiting = patient();
    const limit = app.get(RateLimitRegistry).get('K.patient');
    await until(() => limit.waiting === 1);
    await clock.advance(10_000);
    const policy = '"default";q=1;w=10';
    expect(headersOf(await waiting)).toEqual([null, policy, '"default";r=0;t=10']);
    const shared = async (): Promise<unknown[]> => headersOf(await fetch(`${url}/shared`));
    expect(await shared()).toEqual([null, '"default";q=2;w=10', '"default";r=1;t=5']);
    expect(await shared()).toEqual([null, '"default";q=2;w=10', '"default";r=0;t=5']);
    expect(await shared()).toEqual(['5', '"default";q=2;w=10', '"default";r=0;t=5']);
  });

  it('gives the share of this instance while the store is away', async () => {
    @Controller()
    class K {
      @Get()
      @RateLimit({ name: 'fleet', limit: 4, per: '10s', scope: 'shared', headers: true })
      async shared(): Promise<string> {
        return 'ok';
      }
    }
    const store = new MemoryStore();
    await store.heartbeat({ id: 'another' }, 60_000);
    const { url, clock } = await serve(platform, { controllers: [K], resilience: { store } });
    store.fail('down');
    for (let call = 0; call < 2; call++) await fetch(url);
    const policy = '"default";q=2;w=10';
    expect(headersOf(await fetch(url))).toEqual(['5', policy, '"default";r=0;t=5']);
    await clock.advance(5_000);
    expect(headersOf(await fetch(url))).toEqual([null, policy, '"default";r=0;t=5']);
  });

  it('of a service below an undecorated handler is answered the same by the filter', async () => {
    @Injectable()
    class Shelf {
      @RateLimit({ limit: 1, per: '1m' })
      async books(): Promise<string> {
        return 'books';
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
    const { url } = await serve(platform, {
      controllers: [K],
      providers: [Shelf, answersRejections],
    });
    await fetch(url);
    const response = await fetch(url);
    expect(response.status).toBe(429);
    expect(headersOf(response)).toEqual(['60', '"default";q=1;w=60', '"default";r=0;t=60']);
    expect(await response.json()).toEqual(body);
  });

  it('gives the turn of a client that has gone to the next one', async () => {
    let ran = 0;
    @Controller()
    class K {
      @Get()
      @RateLimit({ name: 'k', limit: 1, per: '1m', maxWait: '5m' })
      async get(): Promise<string> {
        return `${(ran += 1)}`;
      }
    }
    const { url, app, clock } = await serve(platform, { controllers: [K as Type] });
    const limit = app.get(RateLimitRegistry).get('k');
    expect(await (await fetch(url)).text()).toBe('1');
    const impatient = request(url);
    await until(() => limit.waiting === 1);
    const patient = fetch(url);
    await until(() => limit.waiting === 2);
    impatient.disconnect();
    await until(() => limit.waiting === 1);
    await clock.advance(60_000);
    expect(await (await patient).text()).toBe('2');
    expect(ran).toBe(2);
  });
});
