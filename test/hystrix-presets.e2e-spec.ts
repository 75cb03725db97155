import { NotFoundException } from '@nestjs/common';
import {
  BulkheadFullError,
  CircuitOpenError,
  TimeoutError,
  hystrix,
  hystrixGo,
} from '../src/index.js';
import { closeAll, of } from './support/boot.js';
import { type Work, down } from './support/commands.js';
import { Drill, boom } from './support/hystrix-drill.js';
import { type Deferred, deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe('hystrix()', () => {
  class BadRequestError extends Error {}
  const bad: Work = () => Promise.reject(new BadRequestError('bad'));

  it('has no timeout if it is false', async () => {
    const drill = await Drill.of(hystrix({ timeout: false }));
    const [work] = drill.start();
    const call = drill.call(() => work!.promise);
    await drill.advance(3_600_000);
    work!.resolve('at last');
    await expect(call).resolves.toBe('at last');
    expect(drill.command.describe().stages).toEqual(['circuit breaker', 'bulkhead']);
  });

  it('without a timeout, takes a hanging probe for failed after a sleep window', async () => {
    const drill = await Drill.of(hystrix({ timeout: false }));
    await drill.fail(20);
    await drill.advance(5_000);
    drill.start();
    await drill.advance(4_999);
    expect((await drill.burst(1)).ran).toBe(0);
    await drill.advance(1);
    expect(drill.state).toBe('open');
    await drill.advance(5_000);
    await drill.succeed();
    expect(drill.state).toBe('closed');
  });

  it('without a timeout, never takes a hanging call for a failure', async () => {
    const drill = await Drill.of(hystrix({ timeout: false, requestVolumeThreshold: 1 }));
    drill.start();
    await drill.advance(3_600_000);
    expect(drill.breaker).toMatchObject({ state: 'closed', running: 1, counts: { failures: 0 } });
  });

  describe('ignore: bad requests', () => {
    it('reach the caller unchanged, despite a fallback', async () => {
      const fallback = jest.fn();
      const drill = await Drill.of(hystrix({ ignore: [BadRequestError], fallback }));
      const error = new BadRequestError();
      expect((await outcome(drill.call(() => Promise.reject(error)))).error).toBe(error);
      expect(fallback).not.toHaveBeenCalled();
    });

    it('count neither as calls nor as errors', async () => {
      const drill = await Drill.of(hystrix({ ignore: [BadRequestError] }));
      await drill.fail(19);
      for (let call = 0; call < 30; call++) await outcome(drill.call(bad));
      expect(drill.breaker).toMatchObject({
        state: 'closed',
        failureRate: 1,
        counts: { failures: 19, ignored: 30 },
      });
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it('have no effect as a probe: the next call is a probe', async () => {
      const drill = await Drill.of(hystrix({ ignore: [BadRequestError] }));
      await drill.fail(20);
      await drill.advance(5_000);
      await outcome(drill.call(bad));
      expect(drill.state).toBe('half-open');
      const [probe] = drill.start();
      expect((await drill.burst(3)).ran).toBe(0);
      probe!.resolve(1);
      await settle();
      expect(drill.state).toBe('closed');
    });

    it('may be defined by a function', async () => {
      const ignore = [(error: unknown) => (error as Error).message === 'bad'];
      const drill = await Drill.of(hystrix({ ignore, fallback: () => 'none' }));
      await expect(drill.call(bad)).rejects.toThrow('bad');
      await expect(drill.call(down)).resolves.toBe('none');
    });
  });

  it('does not count calls that found no place if countRejections is false, but answers them', async () => {
    const drill = await Drill.of(
      hystrix({ countRejections: false, fallback: () => 'none', requestVolumeThreshold: 1 }),
    );
    drill.start(10);
    for (let call = 0; call < 100; call++) await expect(drill.call()).resolves.toBe('none');
    expect(drill.breaker).toMatchObject({ state: 'closed', counts: { failures: 0, ignored: 100 } });
    expect(drill.breaker.metrics.counts.rejected.bulkheadFull).toBe(100);
    await drill.advance(1_000); // the ten time out: that counts
    expect(drill.state).toBe('open');
  });

  it('still counts every error if countRejections is false', async () => {
    const drill = await Drill.of(hystrix({ countRejections: false, requestVolumeThreshold: 2 }));
    await outcome(drill.call(() => Promise.reject(new NotFoundException())));
    await outcome(drill.call(() => Promise.reject(new TypeError())));
    expect(drill.state).toBe('open');
  });

  it('lets calls wait for a place for as long as their timeout, if there is a queue', async () => {
    const drill = await Drill.of(hystrix({ maxConcurrentRequests: 1, maxQueueSize: 1 }));
    const [work] = drill.start();
    const waiting = drill.call(() => 'waited');
    await expect(drill.call()).rejects.toBeInstanceOf(BulkheadFullError);
    work!.resolve(1);
    await expect(waiting).resolves.toBe('waited');
    drill.start();
    const late = outcome(drill.call());
    await drill.advance(1_000);
    expect((await late).error).toBeInstanceOf(TimeoutError);
  });

  it('uses the configured window and buckets', async () => {
    const drill = await Drill.of(hystrix({ rollingWindow: '4s', rollingBuckets: 2 }));
    await drill.fail(10);
    await drill.advance(3_999);
    expect(drill.breaker.counts.failures).toBe(10);
    await drill.fail(9);
    await drill.advance(1);
    expect(drill.breaker.counts.failures).toBe(9);
    await drill.fail(11);
    expect(drill.state).toBe('open');
  });

  describe.each([
    ['10 by default', 10, {}],
    ['another number', 2, { fallbackMaxConcurrentRequests: 2 }],
  ])('lets so many fallbacks run at a time: %s', (_, limit, settings) => {
    it('a call beyond them keeps its error', async () => {
      const answers: Deferred<string>[] = [];
      const fallback = (): Promise<string> => {
        answers.push(deferred());
        return answers.at(-1)!.promise;
      };
      const drill = await Drill.of(hystrix({ ...settings, fallback }));
      const calls = Array.from({ length: limit }, () => drill.call(down));
      await settle();
      const { error } = await outcome(drill.call(() => Promise.reject(boom)));
      expect(error).toBe(boom);
      expect(answers).toHaveLength(limit);
      expect(of('rejected', drill.app.events)).toEqual([
        { type: 'rejected', name: 'books', policy: 'fallback', code: 'FALLBACK_FULL' },
      ]);
      answers[0]!.resolve('first');
      await expect(calls[0]).resolves.toBe('first');
      const next = drill.call(down);
      await settle();
      expect(answers).toHaveLength(limit + 1);
      for (const answer of answers) answer.resolve('none');
      await expect(next).resolves.toBe('none');
      await Promise.all(calls);
    });
  });

  it('allows ten fallbacks at a time for rejections, too', async () => {
    const answer = deferred<string>();
    const drill = await Drill.of(hystrix({ fallback: () => answer.promise }));
    drill.app.registry.get('books').forceOpen();
    const calls = Array.from({ length: 11 }, () => outcome(drill.call()));
    expect((await calls[10])!.error).toBeInstanceOf(CircuitOpenError);
    answer.resolve('none');
    for (const call of calls.slice(0, 10)) await expect(call).resolves.toEqual({ value: 'none' });
  });
});

describe('hystrixGo()', () => {
  it('reads 0 as the default, like Go', async () => {
    const drill = await Drill.of(
      hystrixGo({
        timeout: 0,
        maxConcurrentRequests: 0,
        requestVolumeThreshold: 0,
        sleepWindow: 0,
        errorPercentThreshold: 0,
      }),
    );
    const works = drill.start(10);
    await expect(drill.call()).rejects.toBeInstanceOf(BulkheadFullError);
    for (const work of works) work.resolve(1);
    await settle();
    expect(drill.command.snapshot()).toMatchObject({
      attemptTimeoutMs: 1_000,
      circuitBreaker: { limits: { minimumCalls: 20, openForMs: 5_000, failureRate: 0.495 } },
    });
  });

  it('allows any number of fallbacks at a time', async () => {
    const answer = deferred<string>();
    const drill = await Drill.of(hystrixGo({ fallback: () => answer.promise }));
    drill.app.registry.get('books').forceOpen();
    const calls = Array.from({ length: 200 }, () => drill.call());
    answer.resolve('none');
    for (const call of calls) await expect(call).resolves.toBe('none');
  });
});
