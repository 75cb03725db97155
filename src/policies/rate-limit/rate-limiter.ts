import { outsideOfCalls } from '../../common/async-context.js';
import type { Clock, Timer } from '../../common/clock.js';
import { LATE } from '../../common/late.js';
import { LinkedList } from '../../common/linked-list.js';
import type { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { Gcra, type Rate } from './gcra.js';
import type { Quota } from './headers.js';
import { LimitAnnouncer } from './limit-announcer.js';
import type { RateLimitedError, RateLimitedReason } from './rate-limited-error.js';
import type { RateLimitSnapshot } from './snapshot.js';
import { Waiter } from './waiter.js';

/** The part of an application that a rate limiter depends on. */
export interface RateLimiterEnvironment {
  readonly clock: Clock;
  readonly events: ResilienceEvents;
}

/** Times are off by less than this, milliseconds. */
const ROUNDING = 1e-6;

/**
 * Limits the rate at which calls begin. A call that is not allowed yet may wait, first come, first served; the time of
 * its turn is known at once, so a call that would wait too long is rejected instead.
 *
 * Every operation is O(1). There is a timer only while calls wait, one for all of them.
 */
export class RateLimiter {
  private readonly meter: Gcra;
  private readonly announcer: LimitAnnouncer;
  /** The waiting calls, longest wait first. */
  private readonly waiters = new LinkedList<Waiter>();
  private waiting = 0;
  /** The sum of the costs of the waiting calls. */
  private queuedCost = 0;
  private timer: Timer | undefined = undefined;
  private closed = false;

  /** @internal */
  constructor(
    /** The name in the registry. */
    readonly name: string,
    private rate: Rate,
    private readonly environment: RateLimiterEnvironment,
  ) {
    this.meter = new Gcra(rate);
    this.announcer = new LimitAnnouncer(name, environment.events);
  }

  /** @internal Whether it is in the same state as a new one. */
  get idle(): boolean {
    return this.waiting === 0 && this.meter.resetMs(this.environment.clock.now()) === 0;
  }

  /** @internal The limiter for a call: this one, for all. */
  forCall(): this {
    return this;
  }

  /** Its limit and its current numbers. */
  snapshot(): RateLimitSnapshot {
    const { name, waiting } = this;
    const { admitted, rejected } = this.announcer;
    const { limit, perMs, burst } = this.rate;
    const now = this.environment.clock.now();
    const resetMs = this.meter.resetMs(now);
    const remaining = this.remaining(now);
    const calls = { waiting, admitted, rejected };
    return { name, scope: 'local', limit, perMs, burst, remaining, resetMs, ...calls };
  }

  /** @internal Its limit and the calls that are left, for clients. */
  quota(now = this.environment.clock.now()): Quota {
    return { ...this.rate, remaining: this.remaining(now) };
  }

  /** @internal Milliseconds until more calls are allowed than now; `undefined`: never. */
  nextMs(): number | undefined {
    const now = this.environment.clock.now();
    return this.meter.nextMs(now, this.remaining(now));
  }

  /** @internal Changes the limit. Counted calls stay counted, and waiting calls go on waiting. */
  reconfigure({ limit, perMs, burst }: Rate): void {
    const now = this.environment.clock.now();
    this.admitDue(now);
    this.rate = { limit, perMs, burst };
    this.meter.reconfigure(this.rate, now);
    for (const waiter of this.costlierThan(burst)) {
      // A listener may have ended it meanwhile.
      if (waiter.queued) this.giveUp(waiter, 'cost');
    }
    this.admitDue(now);
    this.arm(now);
  }

  private costlierThan(burst: number): Waiter[] {
    const found: Waiter[] = [];
    for (let { first: each } = this.waiters; each !== undefined; each = each.next) {
      if (each.cost > burst) found.push(each);
    }
    return found;
  }

  /**
   * @internal Counts a call that is allowed now; one that may be allowed within `maxWait` gets a turn.
   *
   * @param cost the number of calls that it counts as
   * @param maxWait milliseconds
   * @throws {RateLimitedError} when it cannot be allowed in time; it is then not counted
   */
  take(cost: number, maxWait: number, now: number): Waiter | undefined {
    if (cost === 0) return undefined;
    if (cost > this.rate.burst) throw this.rejection('cost', now);
    if (this.waiting > 0) this.admitDue(now);
    const wait =
      this.waiting === 0
        ? this.meter.take(cost, now)
        : Math.max(0, this.meter.allowedAt(this.queuedCost + cost) - now);
    if (wait === 0 && this.waiting === 0) {
      this.announcer.admitted += 1;
      return undefined;
    }
    if (wait > maxWait + ROUNDING)
      throw this.rejection('limit', now, Math.ceil(wait - maxWait - ROUNDING));
    if (this.closed) throw this.rejection('closing', now);
    return this.queue(cost, now);
  }

  /** @internal */
  leave(waiter: Waiter): void {
    const wasFirst = waiter === this.waiters.first;
    this.unlink(waiter);
    if (!wasFirst) return;
    const now = this.environment.clock.now();
    this.admitDue(now);
    this.arm(now);
  }

  /** @internal Rejects all waiting calls, and lets no further ones wait. */
  close(): void {
    this.closed = true;
    for (let { first } = this.waiters; first !== undefined; { first } = this.waiters) {
      this.giveUp(first, 'closing');
    }
    this.disarm();
  }

  private remaining(now: number): number {
    return this.waiting > 0 ? 0 : this.meter.remaining(now);
  }

  private queue(cost: number, now: number): Waiter {
    const waiter = new Waiter(cost, now, this);
    this.waiters.add(waiter);
    this.waiting += 1;
    this.queuedCost += cost;
    waiter.origin = this.announcer.origin();
    if (this.waiting === 1) this.arm(now);
    return waiter;
  }

  private unlink(waiter: Waiter): void {
    waiter.queued = false;
    this.waiters.remove(waiter);
    this.waiting -= 1;
    this.queuedCost = this.waiting === 0 ? 0 : this.queuedCost - waiter.cost;
  }

  /** Admits the calls whose turn has come; the timer is then set for the next one. */
  private admitDue(now: number): void {
    for (let { first } = this.waiters; first !== undefined; { first } = this.waiters) {
      const due = Math.max(this.meter.allowedAt(first.cost), first.since);
      if (due - now > ROUNDING) break;
      this.unlink(first);
      // Counted when it was due: timers are a little late, and that must not lower the rate. Calls that fell due while
      // nothing could run do not start all at once, though.
      this.meter.count(first.cost, Math.max(due, now - LATE));
      first.resolve();
      this.announcer.admitted += 1;
      this.announcer.throttled(now - first.since, first.origin);
    }
  }

  /** Sets the timer for the call whose turn is next. */
  private arm(now: number): void {
    this.disarm();
    const { first } = this.waiters;
    if (first === undefined) return;
    const ms = Math.max(0, this.meter.allowedAt(first.cost) - now);
    this.timer = outsideOfCalls(() =>
      this.environment.clock.setTimer(() => {
        this.timer = undefined;
        const fired = this.environment.clock.now();
        this.admitDue(fired);
        this.arm(fired);
      }, ms),
    );
  }

  private disarm(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private giveUp(waiter: Waiter, reason: RateLimitedReason): void {
    this.unlink(waiter);
    waiter.reject(this.rejection(reason, this.environment.clock.now(), undefined, waiter));
  }

  private rejection(
    reason: RateLimitedReason,
    now: number,
    retryAfterMs?: number,
    waiter?: Waiter,
  ): RateLimitedError {
    return this.announcer.rejection(reason, this.quota(now), retryAfterMs, waiter?.origin);
  }
}
