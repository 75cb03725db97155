import { HttpException } from '@nestjs/common';
import { settingsOf } from '../../../test/support/read-options.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import type { Stage } from '../../pipeline/stage.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { CircuitBreakerStage } from './circuit-breaker-stage.js';
import { CircuitOpenError } from './circuit-open-error.js';
import { environmentOf } from './environment.js';
import { KeyedCircuitBreakers } from './keyed-circuit-breakers.js';
import { type CircuitBreakerOptions, readCircuitBreakerOptions } from './options.js';

function setUp(options: CircuitBreakerOptions = {}): {
  clock: ManualClock;
  breaker: CircuitBreaker;
  breakers: KeyedCircuitBreakers;
  call: (work: () => unknown, args?: readonly unknown[]) => TestCall;
  run: (call: TestCall, stage?: Stage) => Promise<unknown>;
  keyedStage: Stage;
} {
  const clock = new ManualClock();
  const events = new ResilienceEvents();
  const settings = settingsOf(readCircuitBreakerOptions, { consecutiveFailures: 2, ...options });
  const environment = environmentOf({
    clock,
    random: () => 0.5,
    events,
    warn: () => {},
  });
  const breaker = new CircuitBreaker('api', settings.breaker, environment);
  const breakers = new KeyedCircuitBreakers(
    'api',
    settings,
    (name, own) => new CircuitBreaker(name, own, environment),
    () => {},
  );
  return {
    clock,
    breaker,
    breakers,
    keyedStage: new CircuitBreakerStage(breakers),
    call: (work, args) => new TestCall(work, { clock, args, interruptible: true }),
    run: (call, stage = new CircuitBreakerStage(breaker)) =>
      new Pipeline('Books.list', [stage], events).run(call),
  };
}

describe('the circuit breaker stage', () => {
  it('counts outcomes, and passes results and errors on unchanged', async () => {
    const { run, call, breaker } = setUp({ onResult: (result) => result === 'later' });
    const error = new Error('down');
    await expect(run(call(() => 1))).resolves.toBe(1);
    await expect(run(call(() => Promise.reject(new HttpException('x', 404))))).rejects.toThrow('x');
    await expect(run(call(() => 'later'))).resolves.toBe('later');
    expect(breaker.counts).toMatchObject({ successes: 2, failures: 1, ignored: 0 });
    await expect(run(call(() => Promise.reject(error)))).rejects.toBe(error);
    expect(breaker.state).toBe('open');
  });

  it('rejects calls while the circuit is open, without running them', async () => {
    const { run, call, breaker } = setUp();
    breaker.forceOpen();
    const work = jest.fn();
    await expect(run(call(work))).rejects.toBeInstanceOf(CircuitOpenError);
    expect(work).not.toHaveBeenCalled();
  });

  it('ignores a call whose caller has gone', async () => {
    const { run, call, breaker } = setUp();
    const gone = call(() => new Promise(() => {}));
    const done = run(gone);
    gone.abort(new Error('gone'));
    await expect(done).rejects.toThrow('gone');
    expect(breaker.counts).toMatchObject({ requests: 1, ignored: 1, failures: 0 });
    expect(breaker.snapshot().running).toBe(0);
  });

  it('measures how long calls take', async () => {
    const { run, call, breaker, clock } = setUp({ slowCallDuration: '1s' });
    const done = run(call(() => new Promise((resolve) => clock.setTimer(() => resolve(1), 1_001))));
    await clock.advance(2_000);
    await done;
    expect(breaker.counts.slow).toBe(1);
  });

  it('opens for as long as the Retry-After of the error asks', async () => {
    const { run, call, breaker } = setUp({ consecutiveFailures: 1 });
    const error = { response: { status: 503, headers: { 'retry-after': '20' } } };
    await expect(run(call(() => Promise.reject(error as never)))).rejects.toBe(error);
    expect(breaker.snapshot().retryAfterMs).toBe(20_000);
  });

  it('uses the breaker of the key of the arguments', async () => {
    const { run, call, keyedStage, breakers } = setUp({ key: (host: string) => host });
    const down = (): Promise<never> => Promise.reject(new Error('down'));
    for (let i = 0; i < 2; i++) {
      await expect(run(call(down, ['a']), keyedStage)).rejects.toThrow('down');
    }
    await expect(run(call(down, ['a']), keyedStage)).rejects.toBeInstanceOf(CircuitOpenError);
    await expect(
      run(
        call(() => 1, ['b']),
        keyedStage,
      ),
    ).resolves.toBe(1);
    expect(breakers.for('b')!.counts.successes).toBe(1);
  });
});
