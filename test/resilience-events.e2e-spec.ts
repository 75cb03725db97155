import { Injectable, type LoggerService } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  ResilienceEvents,
  Retry,
  constant,
  fallbackValue,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { refuseUnhandledRejections } from './support/commands.js';
import { policyEventsOf } from './support/heard.js';

afterEach(closeAll);
refuseUnhandledRejections();

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

  it('tells everything that happens to a call, in its order', async () => {
    const { app, clock, events } = await boot({ providers: [S] });
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

  it('is not disturbed by listeners that throw or reject, and says so once', async () => {
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

  it('is not disturbed by a listener that throws what has no text', async () => {
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
