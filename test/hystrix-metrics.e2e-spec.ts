import {
  type BreakerSnapshot,
  type Command,
  type CommandSnapshot,
  type MetricsSnapshot,
  type OutcomeCounts,
  constant,
  hystrix,
  fallbackValue,
} from '../src/index.js';
import { closeAll } from './support/boot.js';
import {
  type Policies,
  type Serviced,
  type Work,
  bootService,
  commandOf,
  down,
  hang,
  refuseUnhandledRejections,
} from './support/commands.js';
import { type Deferred, deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);
refuseUnhandledRejections();

class BadRequestError extends Error {}

interface Drill extends Serviced {
  readonly command: Command<[work: Work], unknown>;
  /** Calls, and waits until it is over. */
  call(work?: Work): Promise<void>;
  /** A call that lasts until its work is settled. */
  start(): { readonly work: Deferred<unknown>; readonly over: Promise<unknown> };
  snapshot(): CommandSnapshot;
  breaker(): BreakerSnapshot;
  /** Of the command and of its breaker. */
  metrics(): [command: MetricsSnapshot, breaker: MetricsSnapshot];
}

/** A command under test. */
async function drillOf(policies: Policies): Promise<Drill> {
  const booted = await bootService();
  const command = commandOf(booted.service, policies);
  return {
    ...booted,
    command,
    call: async (work = () => 'ok') => void (await outcome(command.execute(work))),
    start: () => {
      const work = deferred<unknown>();
      return { work, over: outcome(command.execute(() => work.promise)) };
    },
    snapshot: () => command.snapshot(),
    breaker: () => command.snapshot().circuitBreaker!,
    metrics: () => [command.snapshot().metrics, command.snapshot().circuitBreaker!.metrics],
  };
}

interface Given {
  readonly success?: number;
  readonly failure?: number;
  readonly timeout?: number;
  readonly ignored?: number;
  readonly rejected?: Partial<OutcomeCounts['rejected']>;
  readonly fallback?: Partial<OutcomeCounts['fallback']>;
}

/** Counts that are 0 where nothing is said. */
const counts = ({ rejected, fallback, ...given }: Given): OutcomeCounts => ({
  success: 0,
  failure: 0,
  timeout: 0,
  ignored: 0,
  ...given,
  rejected: { circuitOpen: 0, bulkheadFull: 0, other: 0, ...rejected },
  fallback: { success: 0, failure: 0, missing: 0, rejected: 0, ...fallback },
});

/** Ways for a call to fail, and what is counted for each. */
const failures: Record<string, { bring: (drill: Drill) => Promise<unknown>; counted: Given }> = {
  'an error': { bring: ({ call }) => call(down), counted: { failure: 1 } },
  'a timeout': {
    bring: async ({ call, clock }) => {
      const over = call(hang);
      await clock.advance(1_000);
      return over;
    },
    counted: { timeout: 1 },
  },
  'an open circuit': {
    bring: ({ call, registry }) => {
      registry.get('books').forceOpen();
      return call();
    },
    counted: { rejected: { circuitOpen: 1 } },
  },
  'too many calls': {
    bring: async ({ call, start }) => {
      const { work, over } = start();
      await call();
      work.resolve('ok');
      return over;
    },
    counted: { success: 1, rejected: { bulkheadFull: 1 } },
  },
};

const broken = (): never => {
  throw new Error('nor from the shelf');
};

const fallbacks: Record<string, { policies: Policies; counted: Given['fallback'] }> = {
  'that answers': {
    policies: hystrix({ maxConcurrentRequests: 1, fallback: fallbackValue('none') }),
    counted: { success: 1 },
  },
  'that fails too': {
    policies: hystrix({ maxConcurrentRequests: 1, fallback: broken }),
    counted: { failure: 1 },
  },
  'that is missing': {
    policies: hystrix({ maxConcurrentRequests: 1 }),
    counted: { missing: 1 },
  },
  'that is for other errors': {
    policies: {
      ...hystrix({ maxConcurrentRequests: 1 }),
      fallback: { handler: fallbackValue('none'), skip: [Error] },
    },
    counted: { missing: 1 },
  },
  'that has no answer for it in its list': {
    policies: {
      ...hystrix({ maxConcurrentRequests: 1 }),
      fallback: [{ on: [BadRequestError], handler: fallbackValue('none') }],
    },
    counted: { missing: 1 },
  },
};

const failing = Object.keys(failures).flatMap((failure) =>
  Object.keys(fallbacks).map((fallback) => [failure, fallback]),
);

describe('a command and its breaker count', () => {
  it('nothing at first', async () => {
    const drill = await drillOf(hystrix());
    for (const metrics of drill.metrics()) {
      expect(metrics).toMatchObject({
        windowMs: 10_000,
        counts: counts({}),
        concurrency: { now: 0, max: 0 },
        latencyWindowMs: 60_000,
        latency: { count: 0 },
        totalLatency: { count: 0 },
      });
    }
  });

  it('a success', async () => {
    const drill = await drillOf(hystrix({ fallback: fallbackValue('none') }));
    await drill.call();
    for (const metrics of drill.metrics()) expect(metrics.counts).toEqual(counts({ success: 1 }));
  });

  it.each(failing)('%s, with a fallback %s', async (failure, fallback) => {
    const { bring, counted } = failures[failure]!;
    const { policies, counted: answered } = fallbacks[fallback]!;
    const drill = await drillOf(policies);
    await bring(drill);
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(counts({ ...counted, fallback: answered! }));
    }
  });

  it('a fallback that was one too many', async () => {
    const answer = deferred();
    const drill = await drillOf(
      hystrix({ fallback: () => answer.promise, fallbackMaxConcurrentRequests: 1 }),
    );
    const first = drill.call(down);
    await settle();
    await drill.call(down);
    const [ofCommand, ofBreaker] = drill.metrics();
    // The first call has not ended; what the breaker sees of it has.
    expect(ofCommand.counts).toEqual(counts({ failure: 1, fallback: { rejected: 1 } }));
    expect(ofBreaker.counts).toEqual(counts({ failure: 2, fallback: { rejected: 1 } }));
    answer.resolve();
    await first;
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(counts({ failure: 2, fallback: { success: 1, rejected: 1 } }));
    }
  });

  it('a bad request, of which no fallback hears', async () => {
    const drill = await drillOf(
      hystrix({ ignore: [BadRequestError], fallback: fallbackValue('none') }),
    );
    await drill.call(() => Promise.reject(new BadRequestError()));
    for (const metrics of drill.metrics()) expect(metrics.counts).toEqual(counts({ ignored: 1 }));
  });

  it.each(['while it runs', 'while its fallback answers'])(
    'a call that is cancelled %s',
    async (when) => {
      const drill = await drillOf(hystrix({ fallback: hang }));
      const handle = drill.command.queue(when === 'while it runs' ? hang : down);
      await settle();
      handle.cancel();
      await outcome(handle.result);
      const [ofCommand, ofBreaker] = drill.metrics();
      expect(ofCommand.counts).toEqual(counts({ ignored: 1 }));
      // That the work had failed before is known to the breaker.
      expect(ofBreaker.counts).toEqual(
        counts(when === 'while it runs' ? { ignored: 1 } : { failure: 1 }),
      );
    },
  );

  it('a call that waits for a place and is cancelled', async () => {
    const drill = await drillOf(hystrix({ maxConcurrentRequests: 1, maxQueueSize: 1 }));
    const { work, over } = drill.start();
    const handle = drill.command.queue(() => 1);
    handle.cancel();
    await outcome(handle.result);
    work.resolve(1);
    await over;
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(counts({ success: 1, ignored: 1 }));
    }
  });

  it('nothing that comes after a timeout', async () => {
    const drill = await drillOf(hystrix());
    const { work, over } = drill.start();
    await drill.clock.advance(1_000);
    await over;
    work.resolve('late');
    await settle();
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(counts({ timeout: 1, fallback: { missing: 1 } }));
      expect(metrics.latency.count).toBe(1);
      expect(metrics.concurrency.now).toBe(0);
    }
  });

  it('a success that comes too late for the circuit all the same', async () => {
    const drill = await drillOf(hystrix({ requestVolumeThreshold: 1 }));
    const { work, over } = drill.start();
    await drill.call(down);
    expect(drill.breaker().state).toBe('open');
    work.resolve('stale');
    await over;
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(counts({ success: 1, failure: 1, fallback: { missing: 1 } }));
    }
  });

  it('a result that is taken for a failure', async () => {
    const { circuitBreaker } = hystrix();
    const drill = await drillOf({
      circuitBreaker: { ...circuitBreaker, onResult: (result) => result === 'bad' },
      fallback: fallbackValue('none'),
    });
    await drill.call(() => 'bad');
    for (const metrics of drill.metrics()) expect(metrics.counts).toEqual(counts({ failure: 1 }));
  });

  it('with our own rules, a wrong request as ignored', async () => {
    const drill = await drillOf({ circuitBreaker: {} });
    await drill.call(() => Promise.reject(new TypeError()));
    await drill.call(down);
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(counts({ ignored: 1, failure: 1, fallback: { missing: 1 } }));
    }
  });

  it('by the rules of the breaker that the command only names, as they are now', async () => {
    const drill = await drillOf(hystrix());
    const rules = {
      name: 'shop',
      on: [BadRequestError],
      onResult: (result: unknown) => result === 'bad',
    };
    commandOf(drill.service, { circuitBreaker: rules }, 'owner');
    const other = commandOf(drill.service, { circuitBreaker: 'shop' }, 'other');
    const told = (): OutcomeCounts => other.snapshot().metrics.counts;
    await other.execute(() => 'bad');
    await outcome(other.execute(() => Promise.reject(new BadRequestError())));
    expect(told()).toEqual(counts({ failure: 2, fallback: { missing: 1 } }));
    drill.registry.reconfigure('shop', { ignore: [BadRequestError] });
    await outcome(other.execute(() => Promise.reject(new BadRequestError())));
    expect(told()).toEqual(counts({ failure: 2, ignored: 1, fallback: { missing: 1 } }));
    drill.registry.reconfigure('shop', { ignore: [], skip: [BadRequestError] });
    await outcome(other.execute(() => Promise.reject(new BadRequestError())));
    expect(told()).toEqual(
      counts({ success: 1, failure: 2, ignored: 1, fallback: { missing: 1 } }),
    );
    expect(drill.registry.get('shop').snapshot().metrics.counts).toEqual(told());
  });

  it('with our own rules, a rejection for want of a place with what became of it', async () => {
    const drill = await drillOf({
      circuitBreaker: {},
      bulkhead: 1,
      fallback: fallbackValue('none'),
    });
    await failures['too many calls']!.bring(drill);
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(
        counts({ success: 1, rejected: { bulkheadFull: 1 }, fallback: { success: 1 } }),
      );
    }
  });

  it('a call with retries once, and each of its attempts', async () => {
    const drill = await drillOf({
      ...hystrix({ fallback: fallbackValue('none') }),
      retry: { maxRetries: 2, backoff: constant('1s') },
    });
    const good = drill.call(({ attempt }) => (attempt < 3 ? down() : 'up'));
    await drill.clock.advance(2_000);
    await good;
    const bad = drill.call(down);
    await drill.clock.advance(2_000);
    await bad;
    const [ofCommand, ofBreaker] = drill.metrics();
    expect(ofCommand.counts).toEqual(counts({ success: 1, failure: 1, fallback: { success: 1 } }));
    // Answered was only what was left after the retries.
    expect(ofBreaker.counts).toEqual(counts({ success: 1, failure: 5, fallback: { success: 1 } }));
  });

  it('for the command alone, without a breaker', async () => {
    const drill = await drillOf({ bulkhead: 1, timeout: '1s' });
    await failures['too many calls']!.bring(drill);
    await failures['an error']!.bring(drill);
    await failures['a timeout']!.bring(drill);
    expect(drill.snapshot()).toMatchObject({
      circuitBreaker: undefined,
      metrics: {
        counts: counts({
          success: 1,
          failure: 1,
          timeout: 1,
          rejected: { bulkheadFull: 1 },
          fallback: { missing: 3 },
        }),
      },
    });
  });

  it.each(['circuit', 'bulkhead'])(
    'a rejection of another %s as an error like any other',
    async (which) => {
      const drill = await drillOf(hystrix());
      const other = commandOf(drill.service, hystrix({ maxConcurrentRequests: 1 }), 'films');
      if (which === 'circuit') drill.registry.get('films').forceOpen();
      else void other.execute(hang).catch(() => {});
      await drill.call(() => other.execute(() => 1));
      for (const metrics of drill.metrics()) {
        expect(metrics).toMatchObject({
          counts: counts({ failure: 1, fallback: { missing: 1 } }),
          latency: { count: 1 },
        });
      }
    },
  );

  it('each thing for 10 s', async () => {
    const drill = await drillOf(hystrix());
    await drill.call();
    await drill.clock.advance(5_000);
    await drill.call(down);
    await drill.clock.advance(4_999);
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toMatchObject({ success: 1, failure: 1 });
    }
    await drill.clock.advance(1);
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(counts({ failure: 1, fallback: { missing: 1 } }));
    }
    await drill.clock.advance(5_000);
    for (const metrics of drill.metrics()) expect(metrics.counts).toEqual(counts({}));
  });

  it('on through open circuits, resets and other rules', async () => {
    const drill = await drillOf(hystrix({ requestVolumeThreshold: 2 }));
    await drill.call(down);
    await drill.call(down);
    await drill.call();
    drill.registry.get('books').reset();
    drill.registry.reconfigure('books', { window: '1m' });
    await drill.call();
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(
        counts({
          success: 1,
          failure: 2,
          rejected: { circuitOpen: 1 },
          fallback: { missing: 3 },
        }),
      );
    }
  });
});

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

  it('of a timeout are the time that was waited', async () => {
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
    'of %s are none of the work; the caller has waited',
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

  it('of bad requests are counted: the work was done', async () => {
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

  it('of cancelled calls are not: nobody saw their end', async () => {
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

  it('of a call of a command that never got a place are none: it has done no work', async () => {
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
  it('tells how many calls run, and the most that did', async () => {
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

  it('counts a long call in all of its time', async () => {
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

  it('does not count what an open circuit turns away in a breaker', async () => {
    const drill = await drillOf(hystrix());
    drill.registry.get('books').forceOpen();
    await drill.call();
    expect(drill.breaker().metrics.concurrency).toEqual({ now: 0, max: 0 });
  });

  it('is left by cancelled calls', async () => {
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

it('a command that turns calls away is not busy with them', async () => {
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

  it('goes on through a reset and an override', async () => {
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
