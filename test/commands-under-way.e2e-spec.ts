import { BadGatewayException, Controller, Get, Inject, Injectable, Param } from '@nestjs/common';
import { type Observable, firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import {
  CircuitOpenError,
  type Command,
  CommandCancelledError,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  TimeoutError,
  constant,
  isResilienceError,
  fallbackValue,
  withReport,
} from '../src/index.js';
import { closeAll, everyPlatform, of, serve } from './support/boot.js';
import {
  bootService,
  commandOf,
  down,
  hang,
  refuseUnhandledRejections,
} from './support/commands.js';
import { request } from './support/http.js';
import { Visits, deferred, outcome, settle, until } from './support/wait.js';

afterEach(closeAll);
refuseUnhandledRejections();

describe('queue()', () => {
  const one = { bulkhead: { maxConcurrent: 1, maxQueue: 2 } };

  it('begins at once and hands out the result', async () => {
    const { service } = await bootService();
    const visits = new Visits();
    const handle = commandOf(service, { timeout: '1s' }).queue(() => visits.visit());
    expect(visits.count).toBe(1);
    await expect(handle.result).resolves.toBe(1);
  });

  it('tells where the call is', async () => {
    const { service } = await bootService();
    const command = commandOf(service, one);
    const work = [deferred<string>(), deferred<string>()];
    const [first, second] = work.map(({ promise }) => command.queue(() => promise));
    const states = (): unknown[] => [first!.state, second!.state];
    expect(states()).toEqual(['running', 'waiting']);
    work[0]!.resolve('done');
    await first!.result;
    await settle();
    expect(states()).toEqual(['succeeded', 'running']);
    work[1]!.reject(new Error('down'));
    await expect(second!.result).rejects.toThrow('down');
    expect(states()).toEqual(['succeeded', 'failed']);
  });

  it('has the call wait between its attempts', async () => {
    const { service, clock } = await bootService();
    const attempts = [deferred<string>(), deferred<string>()];
    const handle = commandOf(service, { retry: { backoff: constant('1s') } }).queue(
      ({ attempt }) => attempts[attempt - 1]!.promise,
    );
    expect(handle.state).toBe('running');
    attempts[0]!.reject(new Error('down'));
    await clock.advance(999);
    expect(handle.state).toBe('waiting');
    await clock.advance(1);
    expect(handle.state).toBe('running');
    attempts[1]!.resolve('up');
    await expect(handle.result).resolves.toBe('up');
    expect(handle.state).toBe('succeeded');
  });

  it('has a call that was turned away fail, and one that was answered succeed', async () => {
    const { service, registry } = await bootService();
    const bare = commandOf(service, { circuitBreaker: 'shop' }, 'bare');
    const answered = commandOf(
      service,
      { circuitBreaker: 'shop', fallback: fallbackValue(1) },
      'answered',
    );
    registry.get('shop').forceOpen();
    const handles = [bare.queue(() => 1), answered.queue(() => 1)];
    await expect(handles[0]!.result).rejects.toBeInstanceOf(CircuitOpenError);
    await expect(handles[1]!.result).resolves.toBe(1);
    expect(handles.map(({ state }) => state)).toEqual(['failed', 'succeeded']);
  });

  it('has a call wait whose attempt has timed out, though its work goes on', async () => {
    const { service, clock } = await bootService();
    const policies = { timeout: '1s', retry: { backoff: constant('1s') } } as const;
    const handle = commandOf(service, policies).queue(hang);
    await clock.advance(1_500);
    const { state } = handle;
    handle.cancel();
    expect(state).toBe('waiting');
  });

  it('has a call run that is being answered', async () => {
    const { service } = await bootService();
    const answer = deferred<string>();
    const handle = commandOf(service, { fallback: () => answer.promise }).queue(down);
    await settle();
    const { state } = handle;
    answer.resolve('at last');
    await handle.result;
    expect(state).toBe('running');
  });

  it('has a call run whose attempt runs, though an earlier one ends late', async () => {
    const { service, clock } = await bootService();
    const works = [deferred<string>(), deferred<string>()];
    const policies = { timeout: '1s', retry: { backoff: constant(0) } } as const;
    const handle = commandOf(service, policies).queue(({ attempt }) => works[attempt - 1]!.promise);
    await clock.advance(1_500);
    works[0]!.resolve('too late');
    await settle();
    expect(handle.state).toBe('running');
    works[1]!.resolve('second');
    await expect(handle.result).resolves.toBe('second');
  });

  it('leaves a failure to who looks at the result', async () => {
    const { service } = await bootService();
    const handle = commandOf(service, {}).queue(down);
    await expect(handle.result).rejects.toThrow('down');
    expect(handle.state).toBe('failed');
  });
});

describe('cancel()', () => {
  const policies = {
    bulkhead: { maxConcurrent: 1, maxQueue: 2 },
    circuitBreaker: { consecutiveFailures: 1 },
    retry: { backoff: constant('1s') },
    fallback: fallbackValue('an answer'),
  };

  it('rejects with a CommandCancelledError', async () => {
    const { service } = await bootService();
    const handle = commandOf(service, policies).queue(hang);
    expect(handle.cancel()).toBe(true);
    expect(handle.state).toBe('cancelled');
    const { error } = await outcome(handle.result);
    expect(error).toBeInstanceOf(CommandCancelledError);
    expect(error).toMatchObject({
      code: 'CANCELLED',
      policy: 'command',
      policyName: 'books',
      message: 'command "books" has been cancelled',
    });
    expect((error as CommandCancelledError).getStatus()).toBe(499);
    expect(isResilienceError(error, 'CANCELLED')).toBe(true);
  });

  it.each([new Error('closing time'), 'text', null, 0])(
    'rejects with a reason: %p',
    async (reason) => {
      const { service } = await bootService();
      const handle = commandOf(service, policies).queue(hang);
      expect(handle.cancel(reason)).toBe(true);
      expect((await outcome(handle.result)).error).toBe(reason);
    },
  );

  it('while the call waits for a place, has it leave the queue, and lets the next one have the place', async () => {
    const { service, bulkheads } = await bootService();
    const command = commandOf(service, policies);
    const visits = new Visits();
    const work = deferred();
    const running = command.queue(() => work.promise);
    const waiting = command.queue(() => visits.visit());
    const next = command.queue(() => 'next');
    expect(bulkheads.get('books')).toMatchObject({ running: 1, waiting: 2 });
    expect(waiting.cancel()).toBe(true);
    await settle();
    expect(bulkheads.get('books')).toMatchObject({ running: 1, waiting: 1 });
    expect([waiting.state, next.state]).toEqual(['cancelled', 'waiting']);
    work.resolve();
    await expect(next.result).resolves.toBe('next');
    await running.result;
    expect(visits.count).toBe(0);
    expect(bulkheads.get('books')).toMatchObject({ running: 0, waiting: 0 });
  });

  it('while the call runs, aborts its signal; the place is taken until the work has ended', async () => {
    const { service, bulkheads } = await bootService();
    const command = commandOf(service, policies);
    const work = deferred();
    let signal: AbortSignal | undefined;
    const handle = command.queue((context) => {
      signal = context.signal;
      return work.promise;
    });
    const reason = new Error('closing time');
    handle.cancel(reason);
    expect(signal).toMatchObject({ aborted: true, reason });
    await expect(handle.result).rejects.toBe(reason);
    expect(bulkheads.get('books')).toMatchObject({ running: 1, waiting: 0 });
    const next = command.queue(() => 'next');
    await settle();
    expect(next.state).toBe('waiting');
    work.reject(new Error('too late'));
    await expect(next.result).resolves.toBe('next');
    expect(bulkheads.get('books')).toMatchObject({ running: 0 });
  });

  it('between two attempts, ends the wait', async () => {
    const { service, clock } = await bootService();
    const visits = new Visits();
    const handle = commandOf(service, { retry: policies.retry }).queue(() => {
      visits.visit();
      return down();
    });
    await settle();
    expect(clock.pending).toBe(1);
    expect(handle.cancel()).toBe(true);
    await expect(handle.result).rejects.toBeInstanceOf(CommandCancelledError);
    expect(clock.pending).toBe(0);
    await clock.advance(10_000);
    expect(visits.count).toBe(1);
  });

  it('while a fallback is at work, drops its answer', async () => {
    const { service } = await bootService();
    const answer = deferred<string>();
    const handle = commandOf(service, { fallback: () => answer.promise }).queue(down);
    await settle();
    expect(handle.cancel()).toBe(true);
    answer.resolve('too late');
    await expect(handle.result).rejects.toBeInstanceOf(CommandCancelledError);
    expect(handle.state).toBe('cancelled');
  });

  it('has no fallback answer, and counts for nobody', async () => {
    const { service } = await bootService();
    const command = commandOf(service, policies);
    const handle = command.queue(hang);
    handle.cancel(new BadGatewayException());
    await expect(handle.result).rejects.toThrow(BadGatewayException);
    expect(command.snapshot()).toMatchObject({
      circuitBreaker: { state: 'closed', counts: { ignored: 1, failures: 0 } },
      metrics: { counts: { ignored: 1, failure: 0, fallback: { success: 0, missing: 0 } } },
    });
  });

  it('comes too late when the call has ended', async () => {
    const { service } = await bootService();
    const command = commandOf(service, {});
    const [good, bad] = [command.queue(() => 'good'), command.queue(down)];
    await expect(good.result).resolves.toBe('good');
    await expect(bad.result).rejects.toThrow('down');
    expect([good.cancel(), bad.cancel()]).toEqual([false, false]);
    expect([good.state, bad.state]).toEqual(['succeeded', 'failed']);
    await expect(good.result).resolves.toBe('good');
  });

  it('cancels once: the first reason holds', async () => {
    const { service } = await bootService();
    const handle = commandOf(service, {}).queue(hang);
    expect([handle.cancel('first'), handle.cancel('second')]).toEqual([true, false]);
    expect((await outcome(handle.result)).error).toBe('first');
  });

  it('leaves no unhandled rejection when nobody looks at the result', async () => {
    const { service } = await bootService();
    const command = commandOf(service, policies);
    const work = deferred();
    const handles = [command.queue(() => work.promise), command.queue(() => 1)];
    for (const handle of handles) handle.cancel();
    work.reject(new Error('too late'));
    await settle(); // and see above: refuseUnhandledRejections()
    expect(handles.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
  });

  it('of one call leaves others alone', async () => {
    const { service } = await bootService();
    const command = commandOf(service, { timeout: '1s' });
    const work = deferred<string>();
    const [one, two] = [command.queue(() => work.promise), command.queue(() => work.promise)];
    one.cancel();
    expect([one.state, two.state]).toEqual(['cancelled', 'running']);
    work.resolve('done');
    await expect(two.result).resolves.toBe('done');
  });
});

describe('observe()', () => {
  it('does nothing before it is subscribed to, and runs anew for each subscription', async () => {
    const { service } = await bootService();
    const visits = new Visits();
    const stream = commandOf(service, { circuitBreaker: {} }).observe(async () => visits.visit());
    await settle();
    expect(visits.count).toBe(0);
    await expect(lastValueFrom(stream.pipe(toArray()))).resolves.toEqual([1]);
    await expect(lastValueFrom(stream.pipe(toArray()))).resolves.toEqual([2]);
  });

  it('makes a call of its own for each subscription', async () => {
    const { service } = await bootService();
    const command = commandOf(service, {});
    const works = [deferred<string>(), deferred<string>()];
    let begun = 0;
    const stream = command.observe(() => works[begun++]!.promise);
    expect(command.snapshot().metrics.concurrency.max).toBe(0);
    const results: unknown[] = [];
    const subscriptions = works.map(() => stream.subscribe((result) => results.push(result)));
    expect(command.snapshot().metrics.concurrency.now).toBe(2);
    subscriptions[0]!.unsubscribe();
    works[1]!.resolve('second');
    await settle();
    expect(results).toEqual(['second']);
    expect(command.snapshot().metrics).toMatchObject({
      counts: { success: 1, ignored: 1 },
      concurrency: { now: 0 },
    });
  });

  it('gives a result that is a list, or nothing, as one item', async () => {
    const { service } = await bootService();
    const items = (stream: Observable<unknown>): Promise<unknown[]> =>
      lastValueFrom(stream.pipe(toArray()));
    const command = commandOf(service, {});
    await expect(items(command.observe(() => [1, 2]))).resolves.toEqual([[1, 2]]);
    await expect(items(command.observe(() => undefined))).resolves.toEqual([undefined]);
  });

  it('hands on errors, after retries, and answers', async () => {
    const { service, clock } = await bootService();
    const visits = new Visits();
    const retried = commandOf(service, { retry: { maxRetries: 1, backoff: constant('1s') } });
    const answered = commandOf(service, { fallback: fallbackValue('none') }, 'answered');
    const error = outcome(
      firstValueFrom(
        retried.observe(() => {
          visits.visit();
          return down();
        }),
      ),
    );
    await clock.advance(1_000);
    expect((await error).error).toMatchObject({ message: 'down' });
    expect(visits.count).toBe(2);
    await expect(firstValueFrom(answered.observe(down))).resolves.toBe('none');
  });

  it('cancels when it is unsubscribed from, whatever the call waits for', async () => {
    const { service, clock } = await bootService();
    const command = commandOf(service, {
      bulkhead: { maxConcurrent: 1, maxQueue: 1 },
      circuitBreaker: { consecutiveFailures: 1 },
      fallback: fallbackValue('none'),
    });
    const retried = commandOf(service, { retry: { backoff: constant('1s') } }, 'retried');
    const seen = jest.fn();
    const visits = new Visits();
    const work = deferred();
    let signal: AbortSignal | undefined;
    const running = command
      .observe((context) => {
        signal = context.signal;
        return work.promise;
      })
      .subscribe(seen);
    const waiting = command.observe(() => visits.visit()).subscribe(seen);
    const resting = retried.observe(down).subscribe(seen);
    await settle();
    expect(clock.pending).toBe(1);
    for (const subscription of [running, waiting, resting]) subscription.unsubscribe();
    expect(signal?.aborted).toBe(true);
    work.resolve();
    await clock.advance(5_000);
    expect(clock.pending).toBe(0);
    expect(seen).not.toHaveBeenCalled();
    expect(visits.count).toBe(0);
    expect(command.snapshot()).toMatchObject({
      bulkhead: { running: 0, waiting: 0 },
      circuitBreaker: { counts: { ignored: 2, failures: 0 } },
      metrics: { counts: { ignored: 2, failure: 0, success: 0 } },
    });
  });
});

describe('withReport()', () => {
  it('sees how calls of commands went, however they were made', async () => {
    const { service, clock } = await bootService();
    const retried = commandOf(service, { retry: { backoff: constant('1s') } });
    const answered = commandOf(service, { fallback: fallbackValue('none') }, 'films');
    const report = withReport(async () => {
      await retried.execute(({ attempt }) => (attempt < 3 ? down() : 'up'));
      await answered.queue(down).result;
      return firstValueFrom(answered.observe(() => 'live'));
    });
    await clock.advance(2_000);
    const both = { ageMs: undefined, outcome: 'success' };
    await expect(report).resolves.toEqual({
      value: 'live',
      calls: [
        { name: 'books', attempts: 3, source: 'live', durationMs: 2_000, ...both },
        { name: 'films', attempts: 1, source: 'fallback', durationMs: 0, ...both },
        { name: 'films', attempts: 1, source: 'live', durationMs: 0, ...both },
      ],
    });
  });

  it('sees cancelled ones as ignored', async () => {
    const { service } = await bootService();
    const { calls } = await withReport(async () => {
      const handle = commandOf(service, {}).queue(hang);
      handle.cancel();
      await outcome(handle.result);
    });
    expect(calls).toMatchObject([{ name: 'books', outcome: 'ignored' }]);
  });
});

it('a command tells in its events what it is called', async () => {
  const { service, events, clock } = await bootService();
  const command = commandOf(service, {
    retry: { maxRetries: 1, backoff: constant('1s') },
    bulkhead: 1,
    circuitBreaker: { name: 'storagesvc', consecutiveFailures: 2 },
    fallback: () => 'none',
  });
  const result = command.execute(down);
  await clock.advance(1_000);
  await result;
  expect(events.map(({ type, name }) => [type, name])).toEqual([
    ['attempt', 'books'],
    ['retry', 'books'],
    ['attempt', 'books'],
    ['state-change', 'storagesvc'],
    ['retries-exhausted', 'books'],
    ['fallback', 'books'],
  ]);
});

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
    const served = await serve(platform, { providers: [Storage], controllers: [Books] });
    return { ...served, storage: served.app.get(Storage) };
  };

  it('answer as handlers do', async () => {
    const { url } = await serving();
    await expect(request(`${url}/protected/7`).answer).resolves.toMatchObject({
      status: 200,
      body: '7',
    });
  });

  it('go on when the client of a protected one goes that has not given them its signal', async () => {
    const { url, storage } = await serving();
    const { disconnect } = request(`${url}/careless/slow`);
    await storage.visits.reached(1);
    disconnect();
    await settle();
    expect(storage.signals[0]!.aborted).toBe(false);
    storage.work.resolve('slow');
    await until(() => storage.book.snapshot().metrics.counts.success === 1);
  });

  it('end when the client of a protected one goes, while they run', async () => {
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

  it('end when the client of a protected one goes, while they wait', async () => {
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

  it('end when a protected one runs out of time', async () => {
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

describe('when the application closes', () => {
  it('calls that wait end: for a place with a rejection, for another attempt with their error', async () => {
    const { app, service, clock } = await bootService();
    const full = commandOf(service, { bulkhead: { maxConcurrent: 1, maxQueue: 1 } });
    const retried = commandOf(
      service,
      { retry: { backoff: constant('1h'), maxElapsedTime: Infinity } },
      'films',
    );
    const work = deferred<string>();
    const running = full.queue(() => work.promise);
    const waiting = full.queue(() => 1);
    const resting = retried.queue(down);
    await settle();
    await app.close();
    await expect(waiting.result).rejects.toMatchObject({
      code: 'BULKHEAD_FULL',
      reason: 'closing',
    });
    await expect(resting.result).rejects.toThrow('down');
    expect(clock.pending).toBe(0);
    work.resolve('done');
    await expect(running.result).resolves.toBe('done');
  });
});
