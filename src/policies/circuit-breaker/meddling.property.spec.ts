import { deepStrictEqual, ok } from 'node:assert/strict';
import * as fc from 'fast-check';
import { Harness, START, settingsOf } from '../../../test/support/breaker.js';
import type { CircuitBreakerOptions } from './options.js';
import type { Permit } from './permit.js';

/*
 * Everything that a breaker calls may use the breaker: `readyToTrip`, `openFor`, `onStateChange` and listeners of events.
 * Whatever they do, it loses no permit, tells each change once and in order, and closes again when its dependency is well.
 */

type Act =
  | 'admit'
  | 'succeed'
  | 'fail'
  | 'ignore'
  | 'read'
  | 'reset'
  | 'forceOpen'
  | 'disable'
  | 'observeOnly'
  | 'clearOverride'
  | 'reconfigure';

/** The effect of one of these functions at each call. */
type Meddling = readonly (Act | undefined)[];

interface Rules {
  readonly trip: 'streak' | 'rate' | 'readyToTrip' | 'slow';
  readonly window: CircuitBreakerOptions['window'];
  readonly halfOpen: { maxCalls: number; successThreshold: number; maxDuration: number };
  readonly maxCallDuration: number;
  readonly openFor: number;
}

class World {
  private readonly harness: Harness;
  private readonly permits: Permit[] = [];
  private left: (Act | undefined)[];
  private depth = 0;

  constructor(
    private readonly rules: Rules,
    meddling: Meddling,
  ) {
    this.left = [...meddling];
    this.harness = new Harness(this.options(rules));
    this.harness.events.subscribe(() => this.meddle());
  }

  take(step: Act | number): void {
    if (typeof step === 'number') this.harness.wait(step);
    else this.act(step);
    this.check();
  }

  finish(): void {
    const { harness, permits } = this;
    const { breaker } = harness;
    let told = 'closed';
    for (const { from, to } of harness.of('state-change')) {
      deepStrictEqual(from, told);
      told = to;
    }
    this.left = [];
    for (const permit of permits) permit.ignore();
    const { running, metrics } = breaker.snapshot();
    deepStrictEqual([running, metrics.concurrency.now], [0, 0]);
    breaker.clearOverride();
    for (let round = 0; round < 10 && breaker.state !== 'closed'; round++) {
      harness.wait(1_000);
      breaker.tryAcquire()?.success();
    }
    deepStrictEqual(breaker.state, 'closed');
  }

  private options({ trip, openFor, window, ...others }: Rules): CircuitBreakerOptions {
    const byRate = trip === 'rate' || trip === 'slow';
    return {
      ...others,
      ...(trip === 'streak' && { consecutiveFailures: 2 }),
      ...(trip === 'rate' && { failureRate: 0.5 }),
      ...(trip === 'slow' && { slowCallRate: 0.5, slowCallDuration: 10 }),
      ...(byRate && { minimumCalls: 2, window }),
      ...(trip === 'readyToTrip' && {
        readyToTrip: ({ failures }) => {
          this.meddle();
          return failures > 1;
        },
      }),
      openFor: () => {
        this.meddle();
        return openFor;
      },
      onStateChange: () => this.meddle(),
    };
  }

  private meddle(): void {
    const act = this.depth < 3 ? this.left.shift() : undefined;
    if (act === undefined) return;
    this.depth += 1;
    this.act(act);
    this.depth -= 1;
  }

  private act(act: Act): void {
    const { permits, harness, rules } = this;
    const { breaker } = harness;
    const until = new Date(START + harness.time + 30);
    switch (act) {
      case 'admit': {
        const permit = breaker.tryAcquire();
        if (permit !== undefined) permits.push(permit);
        return;
      }
      case 'succeed':
        return permits.shift()?.success();
      case 'fail':
        return permits.shift()?.failure();
      case 'ignore':
        return permits.pop()?.ignore();
      case 'read':
        return void [breaker.state, breaker.counts, breaker.idle];
      case 'reconfigure':
        return breaker.reconfigure(settingsOf(this.options({ ...rules, trip: 'streak' })));
      case 'reset':
      case 'clearOverride':
        return breaker[act]();
      default:
        return breaker[act]({ until });
    }
  }

  private check(): void {
    const { harness, permits } = this;
    const { counts, running, metrics, rejected, state, retryAfterMs, timeInStateMs } =
      harness.breaker.snapshot();
    const { requests, successes, failures, slow } = counts;
    ok(successes + failures <= requests && slow <= successes + failures);
    for (const each of [requests, successes, failures, slow, running]) ok(each >= 0);
    for (const ms of Object.values(timeInStateMs)) ok(ms >= 0);
    ok(running <= permits.length && metrics.concurrency.now <= permits.length);
    if (state === 'open') ok(retryAfterMs! > 0);
    deepStrictEqual(harness.of('rejected').filter(({ observed }) => !observed).length, rejected);
  }
}

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Act>('admit') },
  { weight: 6, arbitrary: fc.constantFrom<Act>('succeed', 'fail', 'fail', 'ignore') },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Act>(
      'read',
      'reset',
      'forceOpen',
      'disable',
      'observeOnly',
      'clearOverride',
      'reconfigure',
    ),
  },
);

const rules: fc.Arbitrary<Rules> = fc.record({
  trip: fc.constantFrom<Rules['trip']>('streak', 'rate', 'readyToTrip', 'slow'),
  window: fc.constantFrom<Rules['window']>(
    { calls: 5 },
    50,
    { duration: 60, buckets: 4, countAt: 'start' },
    { duration: 60, buckets: 4 },
  ),
  halfOpen: fc.record({
    maxCalls: fc.integer({ min: 1, max: 3 }),
    successThreshold: fc.integer({ min: 1, max: 3 }),
    maxDuration: fc.constantFrom(5, 40),
  }),
  maxCallDuration: fc.constantFrom(15, 60),
  openFor: fc.constantFrom(1, 20),
});

describe('a breaker that is used by what it calls', () => {
  it('loses nothing, and recovers', () => {
    const steps = fc.array(fc.oneof(act, act, fc.constantFrom(1, 10, 50, 400_000)), {
      maxLength: 60,
    });
    const meddling = fc.array(fc.option(act, { nil: undefined }), { maxLength: 25 });
    const property = fc.property(rules, steps, meddling, (given, all, acts) => {
      const world = new World(given, acts);
      for (const each of all) world.take(each);
      world.finish();
    });
    fc.assert(property, { numRuns: 700 });
  });
});
