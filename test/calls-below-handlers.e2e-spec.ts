import { Controller, Get, Injectable } from '@nestjs/common';
import { Retry, Signal, Timeout, constant } from '../src/index.js';
import { closeAll, everyPlatform, of, serve, withAttempts } from './support/boot.js';
import { request } from './support/http.js';
import { hostProcess } from './support/process.js';
import { Visits, deferred, outcome, until } from './support/wait.js';

afterEach(closeAll);

describe.each(everyPlatform)('calls that a handler on %s makes', (platform) => {
  const unhandled = jest.fn();

  beforeEach(() => {
    unhandled.mockClear();
    hostProcess.on('unhandledRejection', unhandled);
  });

  afterEach(() => {
    hostProcess.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  describe('when its client goes while they wait for another attempt', () => {
    let visits: Visits;
    let below: Promise<unknown> | undefined;

    @Injectable()
    class Shelf {
      @Retry({ maxRetries: 1, backoff: constant('1s') })
      async books(@Signal() _signal?: AbortSignal): Promise<string> {
        if (visits.visit() === 1) throw new Error('down');
        return 'books';
      }
    }

    @Controller()
    class Books {
      constructor(private readonly shelf: Shelf) {}

      @Get('careful')
      @Timeout('1m')
      async careful(@Signal() signal: AbortSignal): Promise<unknown> {
        return this.keep(this.shelf.books(signal));
      }

      @Get('careless')
      @Timeout('1m')
      async careless(): Promise<unknown> {
        return this.keep(this.shelf.books());
      }

      private keep(answer: Promise<unknown>): Promise<unknown> {
        below = outcome(answer);
        return answer;
      }
    }

    beforeEach(() => {
      visits = new Visits();
      below = undefined;
    });

    async function disconnectFrom(path: string) {
      const { app, url, clock } = await serve(platform, {
        providers: [Shelf],
        controllers: [Books],
      });
      const events = withAttempts(app);
      const { disconnect } = request(`${url}/${path}`);
      await visits.reached(1);
      await until(() => of('retry', events).length === 1);
      disconnect();
      await until(() => of('attempt', events).some(({ name }) => name.startsWith('Books.')));
      await clock.advance(1_000);
      return below;
    }

    it('end too when they were given its signal', async () => {
      expect(await disconnectFrom('careful')).toMatchObject({ error: { code: 'CLIENT_GONE' } });
      expect(visits.count).toBe(1);
    });

    it('go on when they were not', async () => {
      expect(await disconnectFrom('careless')).toEqual({ value: 'books' });
    });
  });

  it('do not end if others wait for the same promise', async () => {
    const entered = deferred();
    const work = deferred<string>();
    @Injectable()
    class Tokens {
      private pending: Promise<string> | undefined;
      get(): Promise<string> {
        return (this.pending ??= this.fetch());
      }
      @Retry()
      async fetch(): Promise<string> {
        entered.resolve();
        return work.promise;
      }
    }
    @Controller()
    class Books {
      constructor(private readonly tokens: Tokens) {}
      @Get(':user')
      @Timeout('10s')
      async get(): Promise<string> {
        return this.tokens.get();
      }
    }
    const { app, url } = await serve(platform, { providers: [Tokens], controllers: [Books] });
    const events = withAttempts(app);
    const [alice, carol] = [request(`${url}/alice`), request(`${url}/carol`)];
    await entered.promise;
    const bob = request(`${url}/bob`);
    alice.disconnect();
    carol.disconnect();
    await until(() => of('attempt', events).length === 2);
    work.resolve('token');
    await expect(bob.answer).resolves.toMatchObject({ status: 200, body: 'token' });
  });

  it('do not run out of time with it', async () => {
    const work = deferred<string>();
    const done: string[] = [];
    @Injectable()
    class Audit {
      @Retry()
      async write(): Promise<void> {
        done.push(await work.promise);
      }
    }
    @Controller()
    class Books {
      constructor(private readonly audit: Audit) {}
      @Get()
      @Timeout('5s')
      async get(): Promise<never> {
        void this.audit.write();
        return new Promise(() => {});
      }
    }
    const { app, url, clock } = await serve(platform, {
      providers: [Audit],
      controllers: [Books],
    });
    const events = withAttempts(app);
    const { answer } = request(url);
    await until(() => clock.pending === 1);
    await clock.advance(5_000);
    await expect(answer).resolves.toMatchObject({ status: 504 });
    work.resolve('the record');
    await until(() => of('attempt', events).some(({ name }) => name === 'Audit.write'));
    expect(done).toEqual(['the record']);
  });
});
