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

describe('a call that has left a circuit breaker knows', () => {
  it('how that has judged it', async () => {
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

  it('how it is judged though there is no room for its key', async () => {
    const { run, breakers, keyedStage } = stageOf({ key: () => 'x', maxKeys: 1 });
    breakers.for('other')!.tryAcquire();
    expect(breakers.for('x')).toBeUndefined();
    expect(await run(down, keyedStage)).toMatchObject({
      verdict: 'failure',
      answerMetrics: undefined,
    });
  });

  it('until when it left the circuit open, and what another attempt would get', async () => {
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
    ['an error that says nothing of the dependency', rejecting(new TypeError()), true],
    ['a result that counts as a failure', () => 'bad', true],
    ['a result', () => 'good', false],
  ])('that an operator has forced the circuit open meanwhile: %s', async (_what, work, knows) => {
    const { run, breaker, clock } = stageOf({ onResult: (result) => result === 'bad' });
    const until = new Date(clock.wall() + 3_000);
    const call = await run((own) => {
      breaker.forceOpen({ until });
      return work(own);
    });
    expect(call.nextRejection?.until).toBe(knows ? 3_000 : undefined);
  });

  it.each<[string, (harness: Harness) => void]>([
    ['it is disabled', ({ breaker }) => breaker.disable()],
    ['it is only observed', ({ breaker }) => breaker.observeOnly()],
  ])('that an open circuit lets calls through while %s', (_how, override) => {
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

  it('where its fallback is counted: when it has failed, or was turned away', async () => {
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
  it('is known to what it calls, and to nothing after it', async () => {
    const { run, breaker, clock } = stageOf({ consecutiveFailures: 1, halfOpen: { maxCalls: 2 } });
    const inside: boolean[] = [];
    const work = () => void inside.push(isInside(breaker));
    expect((await run(work)).holding).toBeUndefined();
    await run(down);
    await clock.advance(5_000);
    expect((await run(work)).holding).toBeUndefined();
    expect(inside).toEqual([false, true]);
  });

  it('is all that counts: what fails inside of it has no word about the circuit', async () => {
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
  it('have the time of each call whose end was seen', async () => {
    const { run, metrics } = stageOf({ consecutiveFailures: 9 });
    await run(() => 'good');
    await run(down);
    await run(rejecting(new TypeError()));
    expect(metrics().latency.count).toBe(3);
    await run((call) => call.abort(new Error('gone')));
    await run(rejecting(full())); // by another policy further inside, which has not been reached
    expect(metrics().latency.count).toBe(4);
  });

  it('have a call whose caller has gone for ignored, and one that its caller found too slow for a timeout', async () => {
    const { run, metrics } = stageOf();
    for (const reason of [new Error('gone'), timedOut()]) {
      await run((call) => {
        call.abort(reason);
        return new Promise(() => {});
      });
    }
    expect(metrics().counts).toMatchObject({ ignored: 1, timeout: 1, success: 0, failure: 0 });
  });

  it('have a timeout for a timeout, also where the rules take it for a success', () => {
    const { breaker, metrics } = setUp();
    breaker.settle(breaker.tryAcquire()!, 'success', timedOut(), 0, 'seen');
    expect(metrics().counts).toEqual(counts({ timeout: 1 }));
    expect(breaker.counts).toMatchObject({ successes: 1, failures: 0 });
  });
});

describe('what a breaker tells', () => {
  it('a caller that it turns away', () => {
    const error = new CircuitOpenError('storagesvc', 20);
    expect(error).toMatchObject({ policy: 'circuitBreaker', code: 'CIRCUIT_OPEN' });
    expect(error.getStatus()).toBe(503);
    expect(error.getResponse()).toMatchObject({ error: 'Service Unavailable' });
  });
});

describe('a breaker is idle', () => {
  it('when nobody listens any more', () => {
    const { breaker } = new Harness(FRAGILE);
    const end = breaker.onStateChange(() => {});
    expect(breaker.idle).toBe(false);
    end();
    expect(breaker.idle).toBe(true);
  });

  it('when it has not been used for five minutes, though what it counted stays', () => {
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
    ['lets the pulse of the machine rest', () => performance.now(), 1],
    ['has no pulse to rest by another clock', () => 0, 0],
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
