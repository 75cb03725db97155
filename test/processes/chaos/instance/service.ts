import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, CircuitBreakerRegistry, RateLimit } from 'nest-resilience';
import type { Dice } from '../dice.js';
import { OPEN_FOR, PLACES, PROBES, RATES, VOTE } from '../limits.js';
import type { Ledger } from './ledger.js';

/** The error of the dependency. */
export class Outage extends Error {}

/** What the service needs from its process; set before the first call. */
export const world = {
  dice: undefined as unknown as Dice,
  ledger: undefined as unknown as Ledger,
  /** Whether the dependency of `flaky` and `voted` fails. */
  fails: false,
  /** Ends all work early. */
  ending: new AbortController(),
};

const breaker = {
  consecutiveFailures: 3,
  openFor: OPEN_FOR,
  halfOpen: { maxCalls: PROBES, successThreshold: 2, maxDuration: 1_000 },
} as const;

const rate = ({ limit, burst, maxWait }: (typeof RATES)[keyof typeof RATES]) =>
  ({ limit, burst, maxWait, per: '1s', scope: 'shared' }) as const;

const places = ({ maxConcurrent, maxQueue, maxWait }: (typeof PLACES)[keyof typeof PLACES]) =>
  ({ maxConcurrent, maxQueue, ...(maxQueue > 0 && { maxWait }), scope: 'shared' }) as const;

let ids = 0;

@Injectable()
export class Service {
  constructor(private readonly breakers: CircuitBreakerRegistry) {}

  /** Its dependency is healthy, and its limits are never reached. */
  @CircuitBreaker({ name: 'steady', scope: 'shared', ...breaker })
  @RateLimit({ name: 'plenty', limit: 6_000, per: '1s', scope: 'shared' })
  @Bulkhead({ name: 'roomy', maxConcurrent: 90, maxQueue: 0, scope: 'shared' })
  async steady(): Promise<void> {
    await this.work(2, 10);
  }

  @CircuitBreaker({ name: 'flaky', scope: 'shared', ...breaker })
  async flaky(): Promise<void> {
    const isProbe = this.breakers.get('flaky').state === 'half-open';
    await (isProbe ? this.held('flaky', [5, 60]) : this.work(5, 60));
    if (world.fails) throw new Outage('down');
  }

  @CircuitBreaker({
    name: 'voted',
    scope: { quorum: { share: 0.5, minVotes: 2, within: VOTE } },
    ...breaker,
  })
  async voted(): Promise<void> {
    await this.work(5, 60);
    if (world.fails) throw new Outage('down');
  }

  /** Operators hold its breaker open. */
  @CircuitBreaker({ name: 'held', scope: 'shared', ...breaker })
  async override(): Promise<void> {
    await this.work(2, 10);
  }

  @RateLimit({ name: 'limited', ...rate(RATES.limited) })
  async limited(): Promise<void> {
    this.begun('limited');
  }

  @RateLimit({ name: 'patient', ...rate(RATES.patient) })
  async patient(): Promise<void> {
    this.begun('patient');
  }

  @Bulkhead({ name: 'places', ...places(PLACES.places) })
  async places(): Promise<void> {
    await this.held('places', PLACES.places.hold);
  }

  @Bulkhead({ name: 'halls', ...places(PLACES.halls) })
  async halls(): Promise<void> {
    await this.held('halls', PLACES.halls.hold);
  }

  private begun(name: string): number {
    const id = ++ids;
    world.ledger.write({ type: 'begun', name, id });
    return id;
  }

  private async held(name: string, [least, most]: readonly [number, number]): Promise<void> {
    const id = this.begun(name);
    await this.work(least, most);
    world.ledger.write({ type: 'ended', name, id });
  }

  private async work(least: number, most: number): Promise<void> {
    const { dice, ending } = world;
    await sleep(dice.between(least, most), undefined, { signal: ending.signal }).catch(() => {});
  }
}
