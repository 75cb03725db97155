import { constant, hystrix } from '../src/index.js';
import { closeAll } from './support/boot.js';
import { down, hang } from './support/commands.js';
import { BadRequestError, drillOf } from './support/hystrix-metrics.js';
import { deferred, settle } from './support/wait.js';

afterEach(closeAll);

describe('latencies', () => {
  const seconds = (ms: number): object => ({
    count: 1,
    mean: ms,
    min: ms,
    p25: ms,
    p50: ms,
    p99_5: ms,
    max: ms,
  });

  it('of a success are the same for work and caller', async () => {
    const drill = await drillOf(hystrix());
    const { work, over } = drill.start();
    await drill.clock.advance(300);
    work.resolve('ok');
    await over;
    for (const { latency, totalLatency } of drill.metrics()) {
      expect(latency).toMatchObject(seconds(300));
      expect(totalLatency).toMatchObject(seconds(300));
    }
  });

  it.each(['answers', 'fails'])(
    'of the work exclude a fallback that %s; those of the caller include it',
    async (how) => {
      const answer = deferred();
      const drill = await drillOf(hystrix({ fallback: () => answer.promise }));
      const { work, over } = drill.start();
      await drill.clock.advance(300);
      work.reject(new Error('down'));
      await drill.clock.advance(700);
      if (how === 'answers') answer.resolve();
      else answer.reject(new Error('nor from the shelf'));
      await over;
      const [ofCommand, ofBreaker] = drill.metrics();
      expect(ofCommand.latency).toMatchObject(seconds(300));
      expect(ofCommand.totalLatency).toMatchObject(seconds(1_000));
      // A breaker sees no more than the work.
      expect(ofBreaker.latency).toMatchObject(seconds(300));
      expect(ofBreaker.totalLatency).toMatchObject(seconds(300));
    },
  );

  it('of a timeout are the time limit', async () => {
    const drill = await drillOf(hystrix({ timeout: '2s' }));
    const { over } = drill.start();
    await drill.clock.advance(2_000);
    await over;
    for (const { latency, totalLatency } of drill.metrics()) {
      expect(latency).toMatchObject(seconds(2_000));
      expect(totalLatency).toMatchObject(seconds(2_000));
    }
  });

  it.each(['an open circuit', 'too many calls'])(
    'of %s exist for the caller only, not for the work',
    async (how) => {
      const answer = deferred();
      const drill = await drillOf(
        hystrix({ maxConcurrentRequests: 1, timeout: false, fallback: () => answer.promise }),
      );
      if (how === 'an open circuit') drill.registry.get('books').forceOpen();
      else drill.start();
      const call = drill.call();
      await drill.clock.advance(200);
      answer.resolve();
      await call;
      const [ofCommand, ofBreaker] = drill.metrics();
      expect(ofCommand.latency.count).toBe(0);
      expect(ofCommand.totalLatency).toMatchObject(seconds(200));
      expect(ofBreaker.latency.count).toBe(0);
      expect(ofBreaker.totalLatency.count).toBe(0);
    },
  );

  it('of bad requests are counted, since the work was done', async () => {
    const drill = await drillOf(hystrix({ ignore: [BadRequestError] }));
    const { work, over } = drill.start();
    await drill.clock.advance(100);
    work.reject(new BadRequestError());
    await over;
    for (const { latency, totalLatency } of drill.metrics()) {
      expect(latency).toMatchObject(seconds(100));
      expect(totalLatency).toMatchObject(seconds(100));
    }
  });

  it('of cancelled calls are not counted, since their end was not seen', async () => {
    const drill = await drillOf(hystrix({ maxConcurrentRequests: 1, maxQueueSize: 1 }));
    const handles = [drill.command.queue(hang), drill.command.queue(hang)];
    await drill.clock.advance(100);
    for (const handle of handles) handle.cancel();
    await settle();
    for (const { latency, totalLatency, counts: counted } of drill.metrics()) {
      expect(counted.ignored).toBe(2);
      expect([latency.count, totalLatency.count]).toEqual([0, 0]);
    }
  });

  it('of a command include its retries and the waits between them; the breaker times each attempt', async () => {
    const drill = await drillOf({
      ...hystrix(),
      retry: { maxRetries: 1, backoff: constant('5s') },
    });
    const works = [deferred(), deferred()];
    const call = drill.call(({ attempt }) => works[attempt - 1]!.promise);
    await drill.clock.advance(100);
    works[0]!.reject(new Error('down'));
    await drill.clock.advance(5_300);
    works[1]!.resolve();
    await call;
    const [ofCommand, ofBreaker] = drill.metrics();
    expect(ofCommand.latency).toMatchObject(seconds(5_400));
    expect(ofBreaker.latency).toMatchObject({ count: 2, min: 100, max: 300, mean: 200 });
  });

  it('of a call that never got a place do not exist, since it did no work', async () => {
    const drill = await drillOf(hystrix({ maxConcurrentRequests: 1, maxQueueSize: 1 }));
    const { over } = drill.start();
    const waiting = drill.call();
    await drill.clock.advance(1_000);
    await Promise.all([over, waiting]);
    const [ofCommand, ofBreaker] = drill.metrics();
    expect(ofCommand.counts.timeout).toBe(2);
    expect([ofCommand.latency.count, ofCommand.totalLatency.count]).toEqual([1, 2]);
    expect(ofBreaker.latency.count).toBe(2); // it cannot tell
  });

  it('include a wait for a place', async () => {
    const drill = await drillOf(hystrix({ maxConcurrentRequests: 1, maxQueueSize: 1 }));
    const { work, over } = drill.start();
    const waiting = drill.call();
    await drill.clock.advance(400);
    work.resolve('ok');
    await Promise.all([over, waiting]);
    for (const { latency } of drill.metrics())
      expect(latency).toMatchObject({ count: 2, min: 400 });
  });

  it('are kept for a minute', async () => {
    const drill = await drillOf(hystrix());
    await drill.call();
    await drill.clock.advance(59_999);
    for (const { latency } of drill.metrics()) expect(latency.count).toBe(1);
    await drill.clock.advance(1);
    for (const { latency, totalLatency } of drill.metrics()) {
      expect([latency.count, totalLatency.count]).toEqual([0, 0]);
    }
  });
});

describe('concurrency', () => {
  it('shows the number of running calls and its peak', async () => {
    const drill = await drillOf(hystrix());
    const all = [drill.start(), drill.start(), drill.start()];
    for (const { concurrency } of drill.metrics()) expect(concurrency).toEqual({ now: 3, max: 3 });
    all[0]!.work.resolve(1);
    all[1]!.work.reject(new Error('down'));
    await settle();
    for (const { concurrency } of drill.metrics()) expect(concurrency).toEqual({ now: 1, max: 3 });
    await drill.clock.advance(1_000); // the last one times out
    for (const { concurrency } of drill.metrics()) expect(concurrency).toEqual({ now: 0, max: 3 });
    await drill.clock.advance(8_999);
    for (const { concurrency } of drill.metrics()) expect(concurrency).toEqual({ now: 0, max: 3 });
    await drill.clock.advance(1);
    for (const { concurrency } of drill.metrics()) expect(concurrency).toEqual({ now: 0, max: 1 });
  });

  it('counts a long call during all of its time', async () => {
    const drill = await drillOf(hystrix({ timeout: '1m' }));
    const { over } = drill.start();
    await drill.clock.advance(35_500);
    for (const { concurrency } of drill.metrics()) expect(concurrency).toEqual({ now: 1, max: 1 });
    await drill.clock.advance(24_500);
    await over;
    await drill.clock.advance(5_000);
    for (const { concurrency } of drill.metrics()) expect(concurrency).toEqual({ now: 0, max: 1 });
    await drill.clock.advance(10_000);
    for (const { concurrency } of drill.metrics()) expect(concurrency).toEqual({ now: 0, max: 0 });
  });

  it('of a command counts a call until its fallback has answered, of a breaker until its work has ended', async () => {
    const answer = deferred();
    const drill = await drillOf(hystrix({ fallback: () => answer.promise }));
    const call = drill.call(down);
    await settle();
    expect(drill.metrics().map(({ concurrency }) => concurrency.now)).toEqual([1, 0]);
    answer.resolve();
    await call;
    expect(drill.metrics().map(({ concurrency }) => concurrency.now)).toEqual([0, 0]);
  });

  it('of a breaker does not count calls that an open circuit rejects', async () => {
    const drill = await drillOf(hystrix());
    drill.registry.get('books').forceOpen();
    await drill.call();
    expect(drill.breaker().metrics.concurrency).toEqual({ now: 0, max: 0 });
  });

  it('does not include cancelled calls', async () => {
    const drill = await drillOf(hystrix({ maxConcurrentRequests: 1, maxQueueSize: 1 }));
    const handles = [drill.command.queue(hang), drill.command.queue(hang)];
    for (const handle of handles) handle.cancel();
    await settle();
    for (const { concurrency } of drill.metrics()) expect(concurrency.now).toBe(0);
  });

  it('counts calls that wait for another attempt, and of a breaker those that wait for a place', async () => {
    const drill = await drillOf({
      ...hystrix({ maxConcurrentRequests: 1, maxQueueSize: 1 }),
      retry: { maxRetries: 1, backoff: constant('1s') },
    });
    const running = drill.call(down);
    await settle();
    // A breaker sees attempts only.
    expect(drill.metrics().map(({ concurrency }) => concurrency.now)).toEqual([1, 0]);
    const others = [drill.start(), drill.start()];
    expect(drill.metrics().map(({ concurrency }) => concurrency.now)).toEqual([2, 2]);
    for (const { work, over } of others) {
      work.resolve(1);
      await over;
    }
    await drill.clock.advance(1_000);
    await running;
    expect(drill.metrics().map(({ concurrency }) => concurrency.now)).toEqual([0, 0]);
  });
});

it('rejected calls do not count as running', async () => {
  const drill = await drillOf(hystrix({ maxConcurrentRequests: 2 }));
  const running = [drill.start(), drill.start()];
  await Promise.all(Array.from({ length: 10 }, () => drill.call()));
  expect(drill.command.snapshot().metrics.concurrency).toEqual({ now: 2, max: 2 });
  for (const { work, over } of running) {
    work.resolve(1);
    await over;
  }
});

describe('the time in each state', () => {
  it('is summed up', async () => {
    const drill = await drillOf(hystrix({ requestVolumeThreshold: 1 }));
    const times = (): unknown => {
      const { state, stateForMs, timeInStateMs } = drill.breaker();
      return [state, stateForMs, timeInStateMs];
    };
    expect(times()).toEqual(['closed', 0, { closed: 0, open: 0, 'half-open': 0 }]);
    await drill.clock.advance(3_000);
    await drill.call(down);
    await drill.clock.advance(2_000);
    expect(times()).toEqual(['open', 2_000, { closed: 3_000, open: 2_000, 'half-open': 0 }]);
    await drill.clock.advance(3_000);
    const { work, over } = drill.start();
    await drill.clock.advance(700);
    expect(times()).toEqual(['half-open', 700, { closed: 3_000, open: 5_000, 'half-open': 700 }]);
    work.resolve('ok');
    await over;
    await drill.clock.advance(10_000);
    expect(times()).toEqual(['closed', 10_000, { closed: 13_000, open: 5_000, 'half-open': 700 }]);
  });

  it('continues through a reset and an override', async () => {
    const drill = await drillOf(hystrix({ requestVolumeThreshold: 1 }));
    await drill.call(down);
    await drill.clock.advance(1_000);
    drill.registry.get('books').reset();
    drill.registry.get('books').forceOpen();
    await drill.clock.advance(2_000);
    expect(drill.breaker()).toMatchObject({
      state: 'closed',
      stateForMs: 2_000,
      timeInStateMs: { closed: 2_000, open: 1_000, 'half-open': 0 },
    });
  });
});
