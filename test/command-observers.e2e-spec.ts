import { type Observable, firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { constant, fallbackValue, withReport } from '../src/index.js';
import { closeAll, withAttempts } from './support/boot.js';
import { bootService, commandOf, down, hang } from './support/commands.js';
import { Visits, deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe('observe()', () => {
  it('does nothing before it is subscribed to, and runs again for each subscription', async () => {
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

  it('emits a list, or undefined, as one item', async () => {
    const { service } = await bootService();
    const items = (stream: Observable<unknown>): Promise<unknown[]> =>
      lastValueFrom(stream.pipe(toArray()));
    const command = commandOf(service, {});
    await expect(items(command.observe(() => [1, 2]))).resolves.toEqual([[1, 2]]);
    await expect(items(command.observe(() => undefined))).resolves.toEqual([undefined]);
  });

  it('passes on errors, after retries, and answers of fallbacks', async () => {
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
  it('reports calls of commands, however they were made', async () => {
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

  it('reports cancelled ones as ignored', async () => {
    const { service } = await bootService();
    const { calls } = await withReport(async () => {
      const handle = commandOf(service, {}).queue(hang);
      handle.cancel();
      await outcome(handle.result);
    });
    expect(calls).toMatchObject([{ name: 'books', outcome: 'ignored' }]);
  });
});

it('events of a command have its name', async () => {
  const { app, service, clock } = await bootService();
  const events = withAttempts(app);
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
