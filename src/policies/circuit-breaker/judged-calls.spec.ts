import { NotFoundException } from '@nestjs/common';
import { pulse } from '../../common/pulse.js';
import { isInside } from '../../pipeline/holding.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import type { Stage } from '../../pipeline/stage.js';
import { OptionsReader, Problems } from '../../common/options-reader.js';
import { FRAGILE, Harness } from '../../../test/support/breaker.js';
import { down, full, quietly, setUp, timedOut } from '../../../test/support/breaker-metrics.js';
import { counts } from '../../../test/support/outcome-counts.js';
import { TestCall, type Work } from '../../../test/support/test-call.js';
import type { PolicySite } from '../policy.js';
import { CircuitBreakerStage } from './circuit-breaker-stage.js';
import { CircuitOpenError } from './circuit-open-error.js';
import { circuitBreakerPolicy } from './circuit-breaker.policy.js';
import { type CircuitBreakerOptions, readCircuitBreakerOptions } from './options.js';

/** A breaker of a method, and calls that go through it to their end. */
function stageOf(options: CircuitBreakerOptions = {}) {
  const { breaker, breakers, clock, events, metrics } = setUp(options);
  const stage = new CircuitBreakerStage(breaker);
  const keyedStage = new CircuitBreakerStage(breakers);
  const run = async (work: Work, by: Stage = stage) => {
    const call = new TestCall(work, { clock, args: ['key'], interruptible: true });
    await quietly(new Pipeline('Books.list', [by], events).run(call));
    return call;
  };
  return { breaker, breakers, clock, metrics, run, stage, keyedStage };
}

const rejecting =
  (error: unknown): Work =>
  () =>
    Promise.reject(error);

describe('a call that has left a circuit breaker carries', () => {
  it('the judgement of the breaker', async () => {
    const { run } = stageOf({ onResult: (result) => result === 'bad', consecutiveFailures: 9 });
    expect(await run(() => 'good')).toMatchObject({ verdict: 'success', resultRejected: false });
    expect(await run(() => 'bad')).toMatchObject({ verdict: 'failure', resultRejected: true });
    expect(await run(down)).toMatchObject({ verdict: 'failure', resultRejected: false });
    expect(await run(rejecting(new TypeError()))).toMatchObject({ verdict: 'ignored' });
    expect(await run(rejecting(new NotFoundException()))).toMatchObject({
      verdict: 'success',
      resultRejected: false,
    });
  });

  it('the judgement even if there is no room for its key', async () => {
    const { run, breakers, keyedStage } = stageOf({ key: () => 'x', maxKeys: 1 });
    breakers.for('other')!.tryAcquire();
    expect(breakers.for('x')).toBeUndefined();
    expect(await run(down, keyedStage)).toMatchObject({
      verdict: 'failure',
      answerMetrics: undefined,
    });
  });

  it('the time until which the circuit is open, and the error of another attempt', async () => {
    const { run, clock } = stageOf();
    await clock.advance(1_000);
    expect((await run(down)).nextRejection).toBeUndefined();
    const { nextRejection } = await run(down);
    expect(nextRejection?.until).toBe(6_000);
    expect(nextRejection?.rejection).toBeInstanceOf(CircuitOpenError);
    expect(nextRejection?.rejection).toMatchObject({ policyName: 'api', retryAfterMs: 5_000 });
  });

  it.each<[string, Work, boolean]>([
    ['an error', down, true],
    ['an error that says nothing about the dependency', rejecting(new TypeError()), true],
    ['a result that counts as a failure', () => 'bad', true],
    ['a result', () => 'good', false],
  ])(
    'the rejection by an operator who has forced the circuit open meanwhile: %s',
    async (_what, work, knows) => {
      const { run, breaker, clock } = stageOf({ onResult: (result) => result === 'bad' });
      const until = new Date(clock.wall() + 3_000);
      const call = await run((own) => {
        breaker.forceOpen({ until });
        return work(own);
      });
      expect(call.nextRejection?.until).toBe(knows ? 3_000 : undefined);
    },
  );

  it.each<[string, (harness: Harness) => void]>([
    ['it is disabled', ({ breaker }) => breaker.disable()],
    ['it is only observed', ({ breaker }) => breaker.observeOnly()],
  ])('no rejection if an open circuit admits calls because %s', (_how, override) => {
    const harness = new Harness(FRAGILE);
    harness.fail();
    expect(harness.breaker.blockade).toBeDefined();
    override(harness);
    expect(harness.breaker.blockade).toBeUndefined();
    harness.breaker.clearOverride();
    harness.wait(1_000);
    expect(harness.breaker.state).toBe('half-open');
    expect(harness.breaker.blockade).toBeUndefined();
  });

  it('the metrics of its fallback when it has failed or was rejected', async () => {
    const { run, breaker } = stageOf();
    expect((await run(() => 'good')).answerMetrics).toBeUndefined();
    expect((await run(rejecting(new TypeError()))).answerMetrics).toBeUndefined();
    expect((await run(rejecting(full()))).answerMetrics).toBe(breaker.metrics);
    expect((await run(down)).answerMetrics).toBe(breaker.metrics);
    breaker.forceOpen();
    expect((await run(down)).answerMetrics).toBe(breaker.metrics);
  });
});

describe('a probe', () => {
  it('is known to the calls inside it, and to none after it', async () => {
    const { run, breaker, clock } = stageOf({ consecutiveFailures: 1, halfOpen: { maxCalls: 2 } });
    const inside: boolean[] = [];
    const work = () => void inside.push(isInside(breaker));
    expect((await run(work)).holding).toBeUndefined();
    await run(down);
    await clock.advance(5_000);
    expect((await run(work)).holding).toBeUndefined();
    expect(inside).toEqual([false, true]);
  });

  it('decides alone: failures of calls inside it do not affect the circuit', async () => {
    const { run, breaker, clock } = stageOf({ consecutiveFailures: 1 });
    await run(down);
    await clock.advance(5_000);
    let inner: TestCall | undefined;
    await run(async () => {
      inner = await run(down);
      breaker.forceOpen();
    });
    expect(inner).toMatchObject({ verdict: 'failure', nextRejection: undefined });
    expect(inner?.answerMetrics).toBeUndefined();
    breaker.clearOverride();
    expect(breaker.state).toBe('closed');
  });
});

describe('the metrics of a breaker', () => {
  it('contain the duration of each call whose end was seen', async () => {
    const { run, metrics } = stageOf({ consecutiveFailures: 9 });
    await run(() => 'good');
    await run(down);
    await run(rejecting(new TypeError()));
    expect(metrics().latency.count).toBe(3);
    await run((call) => call.abort(new Error('gone')));
    await run(rejecting(full())); // by another policy further inside, which has not been reached
    expect(metrics().latency.count).toBe(4);
  });

  it('count a call whose caller has gone as ignored, and one that was too slow for its caller as a timeout', async () => {
    const { run, metrics } = stageOf();
    for (const reason of [new Error('gone'), timedOut()]) {
      await run((call) => {
        call.abort(reason);
        return new Promise(() => {});
      });
    }
    expect(metrics().counts).toMatchObject({ ignored: 1, timeout: 1, success: 0, failure: 0 });
  });

  it('count a timeout as a timeout, even if the rules take it for a success', () => {
    const { breaker, metrics } = setUp();
    breaker.settle(breaker.tryAcquire()!, 'success', timedOut(), 0, 'seen');
    expect(metrics().counts).toEqual(counts({ timeout: 1 }));
    expect(breaker.counts).toMatchObject({ successes: 1, failures: 0 });
  });
});

describe('the rejection of a breaker', () => {
  it('tells the caller its reason', () => {
    const error = new CircuitOpenError('storagesvc', 20);
    expect(error).toMatchObject({ policy: 'circuitBreaker', code: 'CIRCUIT_OPEN' });
    expect(error.getStatus()).toBe(503);
    expect(error.getResponse()).toMatchObject({ error: 'Service Unavailable' });
  });
});

describe('a breaker is idle', () => {
  it('when the last listener has gone', () => {
    const { breaker } = new Harness(FRAGILE);
    const end = breaker.onStateChange(() => {});
    expect(breaker.idle).toBe(false);
    end();
    expect(breaker.idle).toBe(true);
  });

  it('when it has not been used for five minutes, even if it still holds counts', () => {
    const harness = new Harness(FRAGILE);
    harness.succeed();
    harness.wait(300_000);
    expect(harness.breaker.idle).toBe(false);
    harness.wait(1);
    expect(harness.breaker.idle).toBe(true);
  });
});

describe('the policy of circuit breakers', () => {
  const settings = readCircuitBreakerOptions(new OptionsReader({}, 'here', new Problems()));

  it('decides outcomes by the rule of the breaker, and merges halfOpen', () => {
    expect(circuitBreakerPolicy.outcomes!(settings)).toBe(settings.breaker.classifier);
    expect(circuitBreakerPolicy.nested).toEqual(['halfOpen']);
  });

  it.each([
    ['stops the pulse of the machine', () => performance.now(), 1],
    ['has no pulse with another clock', () => 0, 0],
  ])('%s when the application closes', (_what, now, times) => {
    const rest = jest.spyOn(pulse, 'rest');
    const closing: (() => void)[] = [];
    const site = {
      name: 'Books.list',
      clock: { now, wall: now, setTimer: () => () => {} },
      random: () => 0.5,
      partNameOf: () => 'api',
      named: {
        obtain: (_kind: string, _name: string, create: (of: unknown) => unknown) =>
          create(settings),
      },
      onClose: (callback: () => void) => void closing.push(callback),
    };
    circuitBreakerPolicy.stages(settings, site as unknown as PolicySite)['circuit breaker']!();
    for (const close of closing) close();
    expect(closing).toHaveLength(1);
    expect(rest).toHaveBeenCalledTimes(times);
    rest.mockRestore();
  });
});
