import * as read from './read-options.js';
import type { Pulse } from '../../src/common/pulse.js';
import { CircuitBreaker } from '../../src/policies/circuit-breaker/circuit-breaker.js';
import { environmentOf } from '../../src/policies/circuit-breaker/environment.js';
import {
  type BreakerSettings,
  type CircuitBreakerOptions,
  readCircuitBreakerOptions,
} from '../../src/policies/circuit-breaker/options.js';
import type { Permit } from '../../src/policies/circuit-breaker/permit.js';
import type { ResilienceEvent } from '../../src/telemetry/events.js';
import { ResilienceEvents } from '../../src/telemetry/resilience-events.js';

export const START = Date.parse('2026-01-01T00:00:00Z');

export function settingsOf(options: CircuitBreakerOptions): BreakerSettings {
  return read.settingsOf(readCircuitBreakerOptions, options).breaker;
}

/** A breaker on a clock that the test holds. It fails when it sets a timer or warns. */
export function breakerAt(
  now: () => number,
  settings: BreakerSettings,
  name = 'cb',
): CircuitBreaker {
  const clock = { now, wall: now, setTimer: noTimer };
  const environment = environmentOf({
    clock,
    random: () => 0.5,
    events: new ResilienceEvents(),
    warn: () => {},
  });
  const warn = (message: string): never => {
    throw new Error(message);
  };
  return new CircuitBreaker(name, settings, { ...environment, warn });
}

function noTimer(): never {
  throw new Error('a breaker has no timers');
}

/** A breaker, a clock that only the test moves, and the events of the breaker. A breaker that set a timer would fail. */
export class Harness {
  readonly events = new ResilienceEvents();
  readonly emitted: ResilienceEvent[] = [];
  readonly warnings: string[] = [];
  readonly breaker: CircuitBreaker;
  random = 0.5;
  time = 0;
  /** How much time passes with each reading of the clock. */
  drift = 0;

  constructor(options: CircuitBreakerOptions, pulse?: Pulse) {
    this.breaker = new CircuitBreaker('storagesvc', settingsOf(options), {
      ...environmentOf({
        clock: {
          now: () => (this.time += this.drift),
          wall: () => START + this.time,
          setTimer: noTimer,
        },
        random: () => this.random,
        events: this.events,
        warn: (message) => void this.warnings.push(message),
      }),
      ...(pulse && { pulse }),
    });
    this.events.subscribe((event) => void this.emitted.push(event));
  }

  wait(ms: number): void {
    this.time += ms;
  }

  admit(): Permit {
    const permit = this.breaker.tryAcquire();
    if (permit === undefined) throw new Error('rejected');
    return permit;
  }

  succeed(times = 1): void {
    for (let i = 0; i < times; i++) this.admit().success();
  }

  fail(times = 1, error: unknown = new Error('down')): void {
    for (let i = 0; i < times; i++) this.admit().failure(error);
  }

  /** A call of that duration. */
  take(ms: number, end: (permit: Permit) => void): void {
    const permit = this.admit();
    this.wait(ms);
    end(permit);
  }

  get isRejecting(): boolean {
    return this.breaker.tryAcquire() === undefined;
  }

  of<T extends ResilienceEvent['type']>(type: T): Extract<ResilienceEvent, { type: T }>[] {
    return this.emitted.filter(
      (event): event is Extract<ResilienceEvent, { type: T }> => event.type === type,
    );
  }

  get changes(): string[] {
    return this.of('state-change').map(({ from, to, reason }) => `${from} > ${to}: ${reason}`);
  }
}

/** Opens at the first failure, for one second. */
export const FRAGILE = { consecutiveFailures: 1, openFor: '1s' } as const;

export function halfOpen(options: CircuitBreakerOptions = {}): Harness {
  const harness = new Harness({ ...FRAGILE, ...options });
  harness.fail();
  harness.wait(1_000);
  expect(harness.breaker.state).toBe('half-open');
  return harness;
}
