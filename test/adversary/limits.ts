import { RateLimitedError } from '../../src/index.js';
import type { Rate } from '../../src/policies/rate-limit/gcra.js';
import { RateLimiter } from '../../src/policies/rate-limit/rate-limiter.js';
import type { Waiter } from '../../src/policies/rate-limit/waiter.js';
import { LATE } from '../../src/common/late.js';
import type { World } from './world.js';

/** Sums of fractions differ by less. Calls, or milliseconds. */
const ROUNDING = 1e-6;

/** One limit, as callers see it: a bucket of the calls that were really admitted. */
class LimitLog {
  private level = 0;
  private at = 0;
  private waiting: Waiter[] = [];

  constructor(
    private readonly world: World,
    private readonly name: string,
    private readonly rate: Rate,
  ) {}

  /** In any period: no more than the burst and the calls that the limit allows in it. */
  admitted(cost: number): void {
    this.level = this.levelNow() + cost;
    this.at = this.world.clock.now();
    const { burst } = this.rate;
    if (this.level > burst + this.allowedIn(this.lateness) + ROUNDING) {
      this.fail(`${this.level} calls in a bucket of ${burst}`);
    }
  }

  /** Its end is watched by the end of its wait. */
  waits(waiter: Waiter, maxWait: number): void {
    this.waiting.push(waiter);
    const { resolve } = waiter;
    waiter.resolve = () => {
      this.turnOf(waiter, maxWait);
      resolve();
    };
  }

  /** Rejected calls do not count, so a call is rejected only if the admitted ones leave no room. */
  rejected(error: RateLimitedError, cost: number, maxWait: number): void {
    const { burst, limit, perMs } = this.rate;
    if ((error.reason === 'cost') !== cost > burst)
      this.fail(`rejected because of its ${error.reason}`);
    if (error.reason !== 'limit') return;
    const queued = this.waiting.reduce((sum, each) => sum + (each.queued ? each.cost : 0), 0);
    const over = this.levelNow() + queued + cost - burst;
    const wait = (over * perMs) / limit;
    if (wait < maxWait - ROUNDING || over <= 0) {
      this.fail(`a call was rejected that would have waited for ${wait} of ${maxWait} ms`);
    }
  }

  private turnOf(waiter: Waiter, maxWait: number): void {
    const place = this.waiting.indexOf(waiter);
    if (this.waiting.slice(0, place).some(({ queued }) => queued))
      this.fail('a call was overtaken');
    this.waiting = this.waiting.slice(place + 1);
    const waited = this.world.clock.now() - waiter.since;
    if (this.lateness === 0 && waited > maxWait + ROUNDING) {
      this.fail(`a call has waited for ${waited} of ${maxWait} ms`);
    }
    this.admitted(waiter.cost);
  }

  private levelNow(): number {
    return Math.max(0, this.level - this.allowedIn(this.world.clock.now() - this.at));
  }

  private allowedIn(ms: number): number {
    return (ms * this.rate.limit) / this.rate.perMs;
  }

  /** Late turns count as of when they were due, unless that is long ago. */
  private get lateness(): number {
    return this.world.clock.blocked ? LATE : 0;
  }

  private fail(what: string): void {
    this.world.fail(`limit: ${this.name}: ${what}`);
  }
}

/** Watches all limits of a world from outside: requests and answers. @returns a function that ends this */
export function watchLimits(world: World): () => void {
  const logs = new WeakMap<RateLimiter, LimitLog>();
  const logOf = (limiter: RateLimiter): LimitLog => {
    const known = logs.get(limiter);
    if (known !== undefined) return known;
    const made = new LimitLog(world, limiter.name, limiter.snapshot());
    logs.set(limiter, made);
    return made;
  };
  const { take } = RateLimiter.prototype;
  RateLimiter.prototype.take = function (cost, maxWait, now): Waiter | undefined {
    const log = logOf(this);
    let turn: Waiter | undefined;
    try {
      turn = take.call(this, cost, maxWait, now);
    } catch (error) {
      if (error instanceof RateLimitedError) log.rejected(error, cost, maxWait);
      throw error;
    }
    if (turn !== undefined) log.waits(turn, maxWait);
    else if (cost > 0) log.admitted(cost);
    return turn;
  };
  return () => {
    RateLimiter.prototype.take = take;
  };
}
