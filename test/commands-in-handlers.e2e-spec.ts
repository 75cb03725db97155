import { Controller, Get, Inject, Injectable, Param } from '@nestjs/common';
import {
  type Command,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  TimeoutError,
  constant,
} from '../src/index.js';
import { closeAll, everyPlatform, of, serve } from './support/boot.js';
import { down } from './support/commands.js';
import { answersRejections } from './support/handlers.js';
import { request } from './support/http.js';
import { Visits, deferred, settle, until } from './support/wait.js';

afterEach(closeAll);

describe.each(everyPlatform)('commands in a handler on %s', (platform) => {
  @Injectable()
  class Storage {
    readonly visits = new Visits();
    readonly signals: AbortSignal[] = [];
    readonly work = deferred<string>();
    readonly book: Command<[id: string, caller?: AbortSignal], string>;
    constructor(@Inject(ResilienceService) service: ResilienceService) {
      this.book = service.command('book', {
        run: async ({ signal }, id: string, _caller?: AbortSignal) => {
          this.visits.visit();
          this.signals.push(signal);
          return id === 'slow' ? this.work.promise : id === 'down' ? down() : id;
        },
        bulkhead: { maxConcurrent: 1, maxQueue: 1 },
        retry: { maxRetries: 9, backoff: constant('1h'), maxElapsedTime: Infinity },
        circuitBreaker: { consecutiveFailures: 5 },
      });
    }
  }

  @Controller()
  class Books {
    constructor(@Inject(Storage) private readonly storage: Storage) {}

    @Get('protected/:id')
    @Timeout('2s')
    protected(@Param('id') id: string, @Signal() signal?: AbortSignal): Promise<string> {
      return this.storage.book.execute(id, signal);
    }

    @Get('patient/:id')
    @Retry({ maxRetries: 0 })
    patient(@Param('id') id: string, @Signal() signal?: AbortSignal): Promise<string> {
      return this.storage.book.execute(id, signal);
    }

    @Get('careless/:id')
    @Timeout('2s')
    careless(@Param('id') id: string): Promise<string> {
      return this.storage.book.execute(id);
    }

    @Get('bare/:id')
    bare(@Param('id') id: string): Promise<string> {
      return this.storage.book.execute(id);
    }
  }

  const serving = async () => {
    const served = await serve(platform, {
      providers: [Storage, answersRejections],
      controllers: [Books],
    });
    return { ...served, storage: served.app.get(Storage) };
  };

  it('answer like handlers', async () => {
    const { url } = await serving();
    await expect(request(`${url}/protected/7`).answer).resolves.toMatchObject({
      status: 200,
      body: '7',
    });
  });

  it('go on when the client of a protected handler goes, unless they got its signal', async () => {
    const { url, storage } = await serving();
    const { disconnect } = request(`${url}/careless/slow`);
    await storage.visits.reached(1);
    disconnect();
    await settle();
    expect(storage.signals[0]!.aborted).toBe(false);
    storage.work.resolve('slow');
    await until(() => storage.book.snapshot().metrics.counts.success === 1);
  });

  it('end when the client of a protected handler goes, while they run', async () => {
    const { url, storage } = await serving();
    const { disconnect } = request(`${url}/protected/slow`);
    await storage.visits.reached(1);
    disconnect();
    await until(() => storage.signals[0]!.aborted);
    expect(storage.signals[0]!.reason).toMatchObject({ code: 'CLIENT_GONE' });
    expect(storage.book.snapshot()).toMatchObject({
      bulkhead: { running: 1 },
      circuitBreaker: { counts: { ignored: 1, failures: 0 } },
      metrics: { counts: { ignored: 1, failure: 0 } },
    });
    storage.work.resolve('too late');
    await until(() => storage.book.snapshot().bulkhead?.running === 0);
  });

  it('end when the client of a protected handler goes, while they wait', async () => {
    const { url, storage, clock, events } = await serving();
    const first = request(`${url}/bare/slow`);
    await storage.visits.reached(1);
    const second = request(`${url}/protected/7`);
    await until(() => storage.book.snapshot().bulkhead?.waiting === 1);
    second.disconnect();
    await until(() => storage.book.snapshot().bulkhead?.waiting === 0);
    storage.work.resolve('slow');
    await expect(first.answer).resolves.toMatchObject({ body: 'slow' });
    const third = request(`${url}/patient/down`);
    await until(() => of('retry', events).length === 1);
    third.disconnect();
    await until(() => storage.book.snapshot().metrics.counts.ignored === 2);
    await clock.advance(7_200_000);
    expect(storage.visits.count).toBe(2);
  });

  it('end when a protected handler runs out of time', async () => {
    const { url, storage, clock } = await serving();
    const { answer } = request(`${url}/protected/slow`);
    await storage.visits.reached(1);
    await clock.advance(2_000);
    await expect(answer).resolves.toMatchObject({ status: 504 });
    expect(storage.signals[0]!.reason).toBeInstanceOf(TimeoutError);
    storage.work.resolve('too late');
  });

  it('send Retry-After with their rejections, protected or not', async () => {
    const { url, registry } = await serving();
    for (let i = 0; i < 5; i++) registry.get('book').tryAcquire()?.failure();
    for (const path of ['protected', 'bare']) {
      const answer = await request(`${url}/${path}/7`).answer;
      expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    }
  });
});
