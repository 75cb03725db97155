import { type OutcomeCounts, constant, hystrix, fallbackValue } from '../src/index.js';
import { closeAll } from './support/boot.js';
import { type Policies, commandOf, down, hang } from './support/commands.js';
import { BadRequestError, type Drill, drillOf } from './support/hystrix-metrics.js';
import { type Given, counts } from './support/outcome-counts.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

/** Ways for a call to fail, with the counts of each. */
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

  it('a fallback beyond the limit', async () => {
    const answer = deferred();
    const drill = await drillOf(
      hystrix({ fallback: () => answer.promise, fallbackMaxConcurrentRequests: 1 }),
    );
    const first = drill.call(down);
    await settle();
    await drill.call(down);
    const [ofCommand, ofBreaker] = drill.metrics();
    // The first call has not ended, but its work inside the breaker has.
    expect(ofCommand.counts).toEqual(counts({ failure: 1, fallback: { rejected: 1 } }));
    expect(ofBreaker.counts).toEqual(counts({ failure: 2, fallback: { rejected: 1 } }));
    answer.resolve();
    await first;
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(counts({ failure: 2, fallback: { success: 1, rejected: 1 } }));
    }
  });

  it('a bad request, without a fallback', async () => {
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
      // The breaker knows that the work had failed before.
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

  it('nothing after a timeout', async () => {
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

  it('a success that is too late for the circuit', async () => {
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

  it('with our own rules, a programmer error as ignored', async () => {
    const drill = await drillOf({ circuitBreaker: {} });
    await drill.call(() => Promise.reject(new TypeError()));
    await drill.call(down);
    for (const metrics of drill.metrics()) {
      expect(metrics.counts).toEqual(counts({ ignored: 1, failure: 1, fallback: { missing: 1 } }));
    }
  });

  it('by the current rules of a breaker that the command only refers to', async () => {
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

  it('with our own rules, a rejection for lack of a place with its fallback', async () => {
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
    // The fallback answered only after the retries.
    expect(ofBreaker.counts).toEqual(counts({ success: 1, failure: 5, fallback: { success: 1 } }));
  });

  it('for the command only, without a breaker', async () => {
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

  it('each event for 10 s', async () => {
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

  it('through open circuits, resets and changed rules', async () => {
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
