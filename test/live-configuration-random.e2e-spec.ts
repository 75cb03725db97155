import { Injectable } from '@nestjs/common';
import fc from 'fast-check';
import {
  Bulkhead,
  BulkheadRegistry,
  CircuitBreaker,
  type Patch,
  ResilienceConfigurationError,
  Retry,
  Timeout,
  constant,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { settle } from './support/wait.js';

afterEach(closeAll);

type Work = { resolve(value: string): void; reject(error: unknown): void };

@Injectable()
class Client {
  readonly work = new Set<Work>();

  @Retry({ maxRetries: 1, backoff: constant(50) })
  @CircuitBreaker({ name: 'part', consecutiveFailures: 3, window: { calls: 10 }, openFor: 200 })
  @Timeout({ attempt: 300 })
  @Bulkhead({ name: 'part', maxConcurrent: 2, maxQueue: 2, maxWait: 100 })
  async get(): Promise<string> {
    return new Promise((resolve, reject) => this.work.add({ resolve, reject }));
  }
}

type Step =
  | { readonly do: 'call'; readonly count: number }
  | { readonly do: 'settle'; readonly count: number; readonly fail: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'patch'; readonly target: string; readonly patch: Patch | null }
  | { readonly do: 'bad patch'; readonly target: string; readonly patch: Patch | null };

const target = fc.constantFrom('*', 'Client', 'Client.get');
const window = fc.oneof(
  fc.record({ calls: fc.integer({ min: 5, max: 40 }) }),
  fc.integer({ min: 50, max: 900 }),
);
const enabled = fc.boolean();
const part = (patches: fc.Arbitrary<Patch>): fc.Arbitrary<Step> =>
  fc.record({
    do: fc.constant('patch' as const),
    target: fc.oneof(target, fc.constant('part')),
    patch: patches,
  });
const some = { requiredKeys: [] };
const patch: fc.Arbitrary<Step> = fc.oneof(
  part(
    fc.record({
      bulkhead: fc.record(
        {
          maxConcurrent: fc.integer({ min: 1, max: 5 }),
          maxQueue: fc.integer({ min: 1, max: 5 }),
          maxWait: fc.integer({ min: 10, max: 200 }),
          reentrant: fc.boolean(),
          enabled,
        },
        some,
      ),
    }),
  ),
  part(
    fc.record({
      circuitBreaker: fc.record(
        {
          window,
          openFor: fc.integer({ min: 10, max: 500 }),
          consecutiveFailures: fc.integer({ min: 1, max: 4 }),
          enabled,
        },
        some,
      ),
    }),
  ),
  fc.record({
    do: fc.constant('patch' as const),
    target,
    patch: fc.oneof(
      fc.constant(null),
      fc.record({ retry: fc.record({ maxRetries: fc.nat(3), enabled }, some) }),
      fc.record({
        timeout: fc.record({ attempt: fc.integer({ min: 10, max: 900 }), enabled }, some),
      }),
      fc.record({ retry: fc.constant(null), timeout: fc.constant(null) }),
    ),
  }),
);
const bad: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('bad patch' as const),
  // Options are checked with all layers merged: a more specific one could hide the mistake.
  target: fc.constantFrom('Client.get', 'nobody'),
  patch: fc.constantFrom(
    { bulkhead: { maxConcurrent: 0, enabled: true }, retry: { maxRetries: 3 } },
    { timeout: { attempt: 5, total: 5, enabled: true }, bulkhead: { maxConcurrent: 5 } },
    { circuitBreaker: { openFor: -1, enabled: true }, timeout: { enabled: false } },
    { retry: { maxRetries: 1.5, enabled: true } },
    { bulkhead: { key: String, maxConcurrent: 4 } },
    { circuitBreaker: { name: 'other' } },
    { nothing: {} },
  ),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('call' as const, 'settle' as const),
      count: fc.integer({ min: 1, max: 4 }),
      fail: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.integer({ min: 1, max: 400 }),
    }),
  },
  { weight: 3, arbitrary: patch },
  { weight: 1, arbitrary: bad },
);

it('loses nothing with any patches between any calls', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { app, clock, service, registry } = await boot({ providers: [Client] });
      const client = app.get(Client);
      const [breaker, places] = [registry.get('part'), app.get(BulkheadRegistry).get('part')];
      const open = new Set<Promise<unknown>>();
      const call = (): void => {
        const made: Promise<unknown> = client.get().catch(() => {});
        open.add(made);
        void made.then(() => open.delete(made));
      };
      const end = (count: number, fail: boolean): void => {
        for (const one of [...client.work].slice(0, count)) {
          client.work.delete(one);
          if (fail) one.reject(new Error('down'));
          else one.resolve('up');
        }
      };
      const state = (): unknown => [
        service.describe(Client, 'get'),
        { ...places.snapshot() },
        { ...breaker.snapshot(), metrics: undefined },
      ];

      for (const each of steps) {
        if (each.do === 'wait') await clock.advance(each.ms);
        else if (each.do === 'call') for (let i = 0; i < each.count; i++) call();
        else if (each.do === 'settle') end(each.count, each.fail);
        else if (each.do === 'bad patch') {
          const before = state();
          expect(() => service.configure(each.target, each.patch)).toThrow(
            ResilienceConfigurationError,
          );
          expect(state()).toEqual(before);
        } else {
          const { state: was, generation, retryAfterMs, running } = breaker.snapshot();
          const held = places.snapshot();
          service.configure(each.target, each.patch);
          expect(breaker.snapshot()).toMatchObject({
            state: was,
            generation,
            retryAfterMs,
            running,
          });
          const now = places.snapshot();
          expect(now.running + now.waiting).toBe(held.running + held.waiting);
          expect(now.rejected).toBe(held.rejected);
          expect(now.waiting === 0 || now.running >= now.maxConcurrent).toBe(true);
        }
        await settle();
        expect(registry.get('part')).toBe(breaker);
      }

      for (let turn = 0; turn < 30 && (open.size > 0 || client.work.size > 0); turn++) {
        end(Infinity, false);
        await clock.advance(100);
      }
      expect(open.size).toBe(0);
      expect(places.snapshot()).toMatchObject({ running: 0, waiting: 0 });
      expect(breaker.snapshot().running).toBe(0);
      service.configure('part', null);
      for (const name of ['*', 'Client', 'Client.get']) service.configure(name, null);
      expect(places.snapshot()).toMatchObject({ maxConcurrent: 2, maxQueue: 2 });
      expect(breaker.snapshot().limits.consecutiveFailures).toBe(3);
      await closeAll();
      expect(clock.pending).toBe(0);
    }),
    { numRuns: 100 },
  );
}, 60_000);
