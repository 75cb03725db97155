import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  type FallbackContext,
  Retry,
  Timeout,
  constant,
  fallbackValue,
} from '../src/index.js';
import { boot, closeAll, of } from './support/boot.js';
import { Works, bulkhead, counts, full, begin } from './support/bulkhead-calls.js';
import { deferred, settle } from './support/wait.js';

afterEach(closeAll);

describe('beside other policies, a bulkhead', () => {
  it('is the innermost', async () => {
    @Injectable()
    class S {
      @Bulkhead({ maxConcurrent: 3 })
      @Timeout({ attempt: '1s', total: '5s' })
      @CircuitBreaker('shelf')
      @Retry()
      @Fallback(fallbackValue('answer'))
      async m(): Promise<string> {
        return 'live';
      }
    }
    const { service } = await boot({ providers: [S] });
    const { stages, policies } = service.describe(S, 'm');
    expect(stages).toEqual([
      'fallback',
      'total timeout',
      'retry',
      'circuit breaker',
      'attempt timeout',
      'bulkhead',
    ]);
    expect(policies).toContainEqual({ kind: 'bulkhead', options: { maxConcurrent: 3 } });
  });

  @Injectable()
  class S {
    readonly works = new Works();
    answer: (context: FallbackContext) => string | Promise<string> = () => 'answer';

    @Retry({ maxRetries: 5, backoff: constant(0) })
    @CircuitBreaker({ name: 'shelf', consecutiveFailures: 1, openFor: '5s' })
    @Bulkhead({ name: 'shelf', maxConcurrent: 1, maxQueue: 1, maxWait: '1s' })
    async books(): Promise<string> {
      return this.works.next();
    }

    @CircuitBreaker({ name: 'probed', consecutiveFailures: 1, openFor: '5s' })
    @Bulkhead({ name: 'one', maxConcurrent: 1 })
    async probed(): Promise<string> {
      return this.works.next();
    }

    @Bulkhead({ name: 'one' })
    async occupying(): Promise<string> {
      return this.works.next();
    }

    @Fallback('former')
    @Bulkhead({ name: 'answered', maxConcurrent: 1 })
    async answered(): Promise<string> {
      return this.works.next();
    }

    former(context: FallbackContext): string | Promise<string> {
      return this.answer(context);
    }

    @Fallback('former', { maxConcurrent: 1 })
    @CircuitBreaker('limited')
    async limited(): Promise<string> {
      throw new Error('down');
    }
  }

  it('rejects without a retry; the breaker counts it as a full bulkhead, not as a failure', async () => {
    const { app, clock, registry, events } = await boot({ providers: [S] });
    const service = app.get(S);
    const calls = [begin(service.books()), begin(service.books())];
    expect((await begin(service.books())).error).toMatchObject({ reason: 'full' });
    await clock.advance(1_000);
    expect((await calls[1]!).error).toMatchObject({ reason: 'max-wait' });
    expect(of('retry', events)).toEqual([]);
    expect(service.works.count).toBe(1);
    const shelf = registry.get('shelf');
    expect(shelf).toMatchObject({ state: 'closed', counts: { failures: 0, ignored: 2 } });
    expect(shelf.snapshot().metrics.counts).toMatchObject({
      failure: 0,
      ignored: 0,
      rejected: { circuitOpen: 0, bulkheadFull: 2 },
    });
    expect(bulkhead(app, 'shelf').rejected).toBe(2);
    service.works.end(0);
    expect((await calls[0]!).value).toBe('work 0');
  });

  it('takes no place for a call that the circuit breaker rejects', async () => {
    const { app, registry } = await boot({ providers: [S] });
    void begin(app.get(S).books());
    registry.get('shelf').forceOpen();
    expect((await begin(app.get(S).books())).error).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(counts(app, 'shelf')).toEqual([1, 0, 0]);
  });

  it('frees the place of a probe that it rejects', async () => {
    const { app, clock, registry } = await boot({ providers: [S] });
    const service = app.get(S);
    const failing = begin(service.probed());
    service.works.all[0]!.reject(new Error('down'));
    await failing;
    expect(registry.get('probed').state).toBe('open');
    await clock.advance(5_000);
    const other = begin(service.occupying());
    for (let i = 0; i < 3; i++) {
      expect((await begin(service.probed())).error).toMatchObject({ ...full, policyName: 'one' });
    }
    expect(registry.get('probed').state).toBe('half-open');
    service.works.end(1);
    await other;
    const probe = begin(service.probed());
    service.works.end(2);
    expect((await probe).value).toBe('work 2');
    expect(registry.get('probed').state).toBe('closed');
  });

  it('has its rejections answered by a fallback, which knows that they are rejections', async () => {
    const { app } = await boot({ providers: [S] });
    const service = app.get(S);
    const contexts: FallbackContext[] = [];
    service.answer = (context) => {
      contexts.push(context);
      return 'answer';
    };
    void begin(service.answered());
    await expect(service.answered()).resolves.toBe('answer');
    expect(contexts).toMatchObject([{ rejected: true, attempts: 1, error: full }]);
    expect(counts(app, 'answered')).toEqual([1, 0, 1]);
  });

  it('gives its place back before the fallback answers', async () => {
    const { app } = await boot({ providers: [S] });
    const service = app.get(S);
    const answer = deferred<string>();
    service.answer = () => answer.promise;
    const call = begin(service.answered());
    service.works.all[0]!.reject(new Error('down'));
    await settle();
    expect(counts(app, 'answered')).toEqual([0, 0, 0]);
    answer.resolve('answer');
    expect((await call).value).toBe('answer');
  });

  it('may have a fallback with a limit of its own: a call beyond it keeps its error', async () => {
    const { app, registry, events } = await boot({ providers: [S] });
    const service = app.get(S);
    const answer = deferred<string>();
    service.answer = () => answer.promise;
    const first = begin(service.limited());
    await settle();
    expect((await begin(service.limited())).error).toEqual(new Error('down'));
    answer.resolve('answer');
    expect((await first).value).toBe('answer');
    await expect(service.limited()).resolves.toBe('answer');
    expect(of('rejected', events)).toEqual([
      { type: 'rejected', name: 'S.limited', policy: 'fallback', code: 'FALLBACK_FULL' },
    ]);
    expect(registry.get('limited').snapshot().metrics.counts.fallback).toEqual({
      success: 2,
      failure: 0,
      missing: 0,
      rejected: 1,
    });
  });
});
