import { deepStrictEqual, ok } from 'node:assert/strict';
import * as fc from 'fast-check';
import { Harness } from '../../../test/support/rate-limiter.js';
import type { Rate } from './gcra.js';
import type { RateLimitedError } from './rate-limited-error.js';
import type { Waiter } from './waiter.js';

/*
 * A limit beside its rules in their plainest form: a bucket and a queue. Rates are such that all times are whole
 * milliseconds, so that no rounding decides.
 */

type Step =
  | { readonly do: 'take'; readonly cost: number; readonly maxWait: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'leave'; readonly which: number }
  | { readonly do: 'reconfigure'; readonly rate: Rate }
  | { readonly do: 'close' };

interface ModelCall {
  readonly cost: number;
  readonly since: number;
  waiter: Waiter | undefined;
  /** When it was allowed, or why not. */
  end: number | 'cost' | 'closing' | 'left' | undefined;
  /** The same, as the limit tells. */
  told: number | string | undefined;
}

class World {
  private readonly harness: Harness;
  private readonly calls: ModelCall[] = [];
  private queue: ModelCall[] = [];
  private level = 0;
  private at = 0;
  private closed = false;
  private admitted = 0;
  private rejected = 0;

  constructor(private rate: Rate) {
    this.harness = new Harness(rate);
  }

  async take(step: Step): Promise<void> {
    const { clock, limiter } = this.harness;
    switch (step.do) {
      case 'take':
        this.arrive(step.cost, step.maxWait);
        break;
      case 'wait':
        await clock.advance(step.ms);
        this.admit((due) => due);
        break;
      case 'leave':
        this.leave(step.which);
        break;
      case 'reconfigure':
        limiter.reconfigure(step.rate);
        this.level = Math.min(this.levelAt(this.now), step.rate.burst);
        this.at = this.now;
        this.rate = step.rate;
        this.giveUp('cost', ({ cost }) => cost > step.rate.burst);
        this.admitNow();
        break;
      case 'close':
        limiter.close();
        this.closed = true;
        this.giveUp('closing', () => true);
    }
    await clock.advance(0);
    this.check();
  }

  async finish(): Promise<void> {
    const { clock, limiter } = this.harness;
    await clock.advance(100_000);
    this.admit((due) => due);
    this.check();
    deepStrictEqual(limiter.snapshot().resetMs, 0);
    deepStrictEqual([this.queue.length, clock.pending], [0, 0]);
  }

  private get now(): number {
    return this.harness.clock.now();
  }

  private levelAt(now: number): number {
    const { limit, perMs } = this.rate;
    return Math.max(0, this.level - ((now - this.at) * limit) / perMs);
  }

  /** When so many calls, beside those that are counted, fit. */
  private fits(cost: number): number {
    const { limit, perMs, burst } = this.rate;
    return this.at + (Math.max(0, this.level + cost - burst) * perMs) / limit;
  }

  private expected(cost: number, maxWait: number): 'now' | 'wait' | 'cost' | 'limit' | 'closing' {
    if (cost > this.rate.burst) return 'cost';
    const ahead = this.queue.reduce((sum, each) => sum + each.cost, 0);
    const wait = this.fits(ahead + cost) - this.now;
    if (wait <= 0 && this.queue.length === 0) return 'now';
    if (wait > maxWait) return 'limit';
    return this.closed ? 'closing' : 'wait';
  }

  private arrive(cost: number, maxWait: number): void {
    const { now } = this;
    const expected = this.expected(cost, maxWait);
    const call: ModelCall = {
      cost,
      since: now,
      waiter: undefined,
      end: undefined,
      told: undefined,
    };
    let got: string;
    try {
      call.waiter = this.harness.take(cost, maxWait);
      got = call.waiter === undefined ? 'now' : 'wait';
    } catch (error) {
      const { reason, retryAfterMs } = error as RateLimitedError;
      got = reason;
      if (reason === 'limit') ok(retryAfterMs! > 0);
    }
    deepStrictEqual(got, expected);
    if (got === 'now') {
      this.level = this.levelAt(now) + cost;
      this.at = now;
      this.admitted += 1;
    } else if (got === 'wait') {
      this.queue.push(call);
      this.calls.push(call);
      call.waiter!.ready.then(
        () => (call.told = this.now),
        ({ reason }: RateLimitedError) => (call.told = reason),
      );
    } else {
      this.rejected += 1;
    }
  }

  private leave(which: number): void {
    const call = this.queue[which % this.queue.length];
    if (call === undefined) return;
    call.end = 'left';
    this.queue = this.queue.filter((each) => each !== call);
    call.waiter!.leave();
    this.admitNow();
  }

  private giveUp(reason: 'cost' | 'closing', concerns: (call: ModelCall) => boolean): void {
    for (const call of this.queue.filter(concerns)) {
      call.end = reason;
      this.rejected += 1;
    }
    this.queue = this.queue.filter((call) => !concerns(call));
  }

  /** Calls move up because something else has changed: a turn that has passed counts as at most 10 ms ago. */
  private admitNow(): void {
    this.admit((due) => Math.max(due, this.now - 10));
  }

  private admit(counted: (due: number) => number): void {
    for (let [first] = this.queue; first !== undefined; [first] = this.queue) {
      const due = Math.max(this.fits(first.cost), first.since);
      if (due > this.now) return;
      const at = counted(due);
      this.level = this.levelAt(at) + first.cost;
      this.at = at;
      first.end = at === due ? due : this.now;
      this.queue.shift();
      this.admitted += 1;
    }
  }

  private check(): void {
    const { limiter, clock, emitted } = this.harness;
    const { waiting, admitted, rejected } = limiter.snapshot();
    deepStrictEqual(
      { waiting, admitted, rejected, timers: clock.pending },
      {
        waiting: this.queue.length,
        admitted: this.admitted,
        rejected: this.rejected,
        timers: Math.min(1, this.queue.length),
      },
    );
    deepStrictEqual(emitted.filter(({ type }) => type === 'rejected').length, rejected);
    for (const { end, told } of this.calls) {
      if (typeof end !== 'number') deepStrictEqual(told, end === 'left' ? undefined : end);
      else ok(typeof told === 'number' && told >= end && told - end <= 10);
    }
  }
}

const rate: fc.Arbitrary<Rate> = fc.record({
  limit: fc.constantFrom(1, 2, 4),
  perMs: fc.constantFrom(8, 40, 400),
  burst: fc.integer({ min: 1, max: 5 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 50,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      cost: fc.constantFrom(1, 1, 2, 4),
      maxWait: fc.constantFrom(0, 10, 200, Infinity),
    }),
  },
  {
    weight: 25,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 4, 25, 300),
    }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat(5) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('reconfigure' as const), rate }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'close' }) },
);

describe('a rate limit', () => {
  it('keeps its rules, in whatever order calls come, wait and leave', async () => {
    const steps = fc.array(step, { minLength: 5, maxLength: 30 });
    const property = fc.asyncProperty(rate, steps, async (given, all) => {
      const world = new World(given);
      for (const each of all) await world.take(each);
      await world.finish();
    });
    await fc.assert(property, { numRuns: 200 });
  });
});
