import { Injectable, type LoggerService } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  ResilienceEvents,
  Retry,
  Timeout,
  constant,
  fallbackValue,
} from '../src/index.js';
import { boot, closeAll, withAttempts } from './support/boot.js';
import { policyEventsOf } from './support/heard.js';

afterEach(closeAll);

describe('ResilienceEvents', () => {
  @Injectable()
  class S {
    attempts = 0;
    @Fallback(fallbackValue('answer'))
    @Retry({ maxRetries: 1, backoff: constant('1s') })
    @CircuitBreaker({ name: 'shelf', consecutiveFailures: 2, openFor: '5s' })
    async m(): Promise<string> {
      this.attempts += 1;
      throw new Error(`attempt ${this.attempts}`);
    }
  }

  it('gives the events of a call its number', async () => {
    @Injectable()
    class Slow {
      @Fallback(fallbackValue('answer'))
      @Retry({ maxRetries: 1, backoff: constant(0) })
      @Timeout('1s')
      async m(works: Promise<string>[]): Promise<string> {
        return works.shift()!;
      }
    }
    const { app, clock } = await boot({ providers: [Slow] });
    const heard: string[] = [];
    app.get(ResilienceEvents).subscribe((event) => {
      if ('callId' in event) heard.push(`${event.type} ${event.callId - first}`);
    });
    let first = 0;
    app.get(ResilienceEvents).on('call-start', ({ callId }) => (first ||= callId));
    const late = (): Promise<string> =>
      new Promise((resolve) => void clock.setTimer(() => resolve('late'), 10_000));
    for (let call = 0; call < 2; call++) {
      const answer = app.get(Slow).m([late(), late()]);
      await clock.advance(2_000);
      await expect(answer).resolves.toBe('answer');
    }
    await clock.advance(10_000);
    const counts = new Map<string, number>();
    for (const each of heard.slice(1)) counts.set(each, (counts.get(each) ?? 0) + 1);
    const once = (call: number): [string, number][] => [
      [`attempt-start ${call}`, 2],
      [`timeout ${call}`, 2],
      [`attempt ${call}`, 2],
      [`retry ${call}`, 1],
      [`retries-exhausted ${call}`, 1],
      [`fallback ${call}`, 1],
      [`call-end ${call}`, 1],
      [`late ${call}`, 2],
    ];
    expect(Object.fromEntries(counts)).toEqual(
      Object.fromEntries([...once(0), ['call-start 1', 1], ...once(1)]),
    );
  });

  it('reports everything that happens to a call, in order', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const events = withAttempts(app);
    const call = app.get(S).m();
    await clock.advance(1_000);
    await expect(call).resolves.toBe('answer');
    const [first, second] = [new Error('attempt 1'), new Error('attempt 2')];
    const common = { name: 'S.m', outcome: 'failure', durationMs: 0 };
    expect(events).toEqual([
      { type: 'attempt', ...common, attempt: 1, error: first },
      { type: 'retry', name: 'S.m', attempt: 1, delayMs: 1_000, error: first },
      { type: 'attempt', ...common, attempt: 2, error: second },
      expect.objectContaining({
        type: 'state-change',
        name: 'shelf',
        from: 'closed',
        to: 'open',
        reason: 'consecutive-failures',
      }),
      {
        type: 'retries-exhausted',
        name: 'S.m',
        attempts: 2,
        reason: 'max-retries',
        error: second,
      },
      { type: 'fallback', name: 'S.m', handler: 'value', outcome: 'success', error: second },
    ]);

    events.length = 0;
    await app.get(S).m();
    expect(events.map(({ type }) => type)).toEqual(['rejected', 'fallback']);
    expect(events[0]).toEqual({
      type: 'rejected',
      name: 'shelf',
      policy: 'circuitBreaker',
      code: 'CIRCUIT_OPEN',
      retryAfterMs: 5_000,
    });
  });

  it('is not affected by listeners that throw or reject, and reports them once', async () => {
    const warnings: unknown[] = [];
    const logger = { log() {}, debug() {}, warn: (message: unknown) => warnings.push(message) };
    const { app, clock, events } = await boot({
      providers: [S],
      resilience: { logger: logger as unknown as LoggerService },
    });
    const stream = app.get(ResilienceEvents);
    stream.subscribe(() => {
      throw new Error('listener');
    });
    stream.subscribe(() => Promise.reject(new Error('async listener')) as never);
    const later = policyEventsOf(stream);
    const call = app.get(S).m();
    await clock.advance(1_000);
    await expect(call).resolves.toBe('answer');
    expect(later).toEqual(events);
    expect(warnings).toContain('a listener of ResilienceEvents threw Error: listener');
    expect(warnings).toContain('a listener of ResilienceEvents threw Error: async listener');
  });

  it('is not affected by a listener that throws a value without a text', async () => {
    const warnings: unknown[] = [];
    const logger = { log() {}, debug() {}, warn: (message: unknown) => warnings.push(message) };
    const { app, clock } = await boot({
      providers: [S],
      resilience: { logger: logger as unknown as LoggerService },
    });
    app.get(ResilienceEvents).subscribe(() => {
      throw Object.create(null) as Error;
    });
    const call = app.get(S).m();
    await clock.advance(1_000);
    await expect(call).resolves.toBe('answer');
    expect(warnings).toContainEqual(
      expect.stringContaining('a listener of ResilienceEvents threw '),
    );
  });

  it('ends a subscription', async () => {
    const { app, clock } = await boot({ providers: [S] });
    const seen: unknown[] = [];
    const end = app.get(ResilienceEvents).subscribe((event) => seen.push(event));
    end();
    const call = app.get(S).m();
    await clock.advance(1_000);
    await call;
    expect(seen).toEqual([]);
  });
});
