import { BadGatewayException } from '@nestjs/common';
import {
  CircuitOpenError,
  CommandCancelledError,
  constant,
  isResilienceError,
  fallbackValue,
} from '../src/index.js';
import { closeAll } from './support/boot.js';
import { bootService, commandOf, down, hang } from './support/commands.js';
import { Visits, deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe('queue()', () => {
  const one = { bulkhead: { maxConcurrent: 1, maxQueue: 2 } };

  it('begins at once and has the result', async () => {
    const { service } = await bootService();
    const visits = new Visits();
    const handle = commandOf(service, { timeout: '1s' }).queue(() => visits.visit());
    expect(visits.count).toBe(1);
    await expect(handle.result).resolves.toBe(1);
  });

  it('shows the state of the call', async () => {
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

  it('is waiting between attempts', async () => {
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

  it('is failed for a rejected call, and succeeded for one answered by a fallback', async () => {
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

  it('is waiting after an attempt has timed out, even if its work goes on', async () => {
    const { service, clock } = await bootService();
    const policies = { timeout: '1s', retry: { backoff: constant('1s') } } as const;
    const handle = commandOf(service, policies).queue(hang);
    await clock.advance(1_500);
    const { state } = handle;
    handle.cancel();
    expect(state).toBe('waiting');
  });

  it('is running while a fallback answers', async () => {
    const { service } = await bootService();
    const answer = deferred<string>();
    const handle = commandOf(service, { fallback: () => answer.promise }).queue(down);
    await settle();
    const { state } = handle;
    answer.resolve('at last');
    await handle.result;
    expect(state).toBe('running');
  });

  it('is running while an attempt runs, even if an earlier one ends late', async () => {
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

  it('reports a failure only by the result', async () => {
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

  it('makes a call that waits for a place leave the queue', async () => {
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

  it('aborts the signal of a running call, whose place is taken until its work has ended', async () => {
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

  it('ends the wait between two attempts', async () => {
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

  it('drops the answer of a running fallback', async () => {
    const { service } = await bootService();
    const answer = deferred<string>();
    const handle = commandOf(service, { fallback: () => answer.promise }).queue(down);
    await settle();
    expect(handle.cancel()).toBe(true);
    answer.resolve('too late');
    await expect(handle.result).rejects.toBeInstanceOf(CommandCancelledError);
    expect(handle.state).toBe('cancelled');
  });

  it('prevents a fallback, and is not counted as an outcome', async () => {
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

  it('has no effect when the call has ended', async () => {
    const { service } = await bootService();
    const command = commandOf(service, {});
    const [good, bad] = [command.queue(() => 'good'), command.queue(down)];
    await expect(good.result).resolves.toBe('good');
    await expect(bad.result).rejects.toThrow('down');
    expect([good.cancel(), bad.cancel()]).toEqual([false, false]);
    expect([good.state, bad.state]).toEqual(['succeeded', 'failed']);
    await expect(good.result).resolves.toBe('good');
  });

  it('takes effect once, with the first reason', async () => {
    const { service } = await bootService();
    const handle = commandOf(service, {}).queue(hang);
    expect([handle.cancel('first'), handle.cancel('second')]).toEqual([true, false]);
    expect((await outcome(handle.result)).error).toBe('first');
  });

  it('leaves no unhandled rejection when the result is not used', async () => {
    const { service } = await bootService();
    const command = commandOf(service, policies);
    const work = deferred();
    const handles = [command.queue(() => work.promise), command.queue(() => 1)];
    for (const handle of handles) handle.cancel();
    work.reject(new Error('too late'));
    await settle(); // an unhandled rejection fails the test
    expect(handles.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
  });

  it('does not affect other calls', async () => {
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
