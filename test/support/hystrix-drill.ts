import {
  type Command,
  type Duration,
  type FallbackContext,
  hystrix,
  hystrixGo,
} from '../../src/index.js';
import {
  type Policies,
  type Serviced,
  type Work,
  bootService,
  commandOf,
  down,
} from './commands.js';
import { type Deferred, Visits, deferred, outcome } from './wait.js';

/** The settings of both presets, under one name. */
export interface Settings {
  readonly timeout?: Duration;
  readonly places?: number;
  readonly volume?: number;
  readonly percent?: number;
  readonly sleepWindow?: Duration;
  readonly fallback?: (context: FallbackContext) => unknown;
}

export const presets: Record<string, (settings?: Settings) => Policies> = {
  'hystrix()': ({ timeout, places, volume, percent, sleepWindow, fallback } = {}) =>
    hystrix({
      timeout,
      maxConcurrentRequests: places,
      requestVolumeThreshold: volume,
      errorThresholdPercentage: percent,
      sleepWindow,
      fallback,
    }),
  'hystrixGo()': ({ timeout, places, volume, percent, sleepWindow, fallback } = {}) =>
    hystrixGo({
      timeout,
      maxConcurrentRequests: places,
      requestVolumeThreshold: volume,
      errorPercentThreshold: percent,
      sleepWindow,
      fallback,
    }),
};

/** A command under test. */
export class Drill {
  readonly command: Command<[work: Work], unknown>;

  constructor(
    readonly app: Serviced,
    policies: Policies,
  ) {
    this.command = commandOf(app.service, policies);
  }

  static async of(policies: Policies): Promise<Drill> {
    return new Drill(await bootService(), policies);
  }

  get state(): string {
    return this.breaker.state;
  }

  get breaker() {
    return this.command.snapshot().circuitBreaker!;
  }

  call(work: Work = () => 'ok'): Promise<unknown> {
    return this.command.execute(work);
  }

  /** Calls one after the other that fail, answered or not. */
  async fail(times = 1): Promise<void> {
    for (let call = 0; call < times; call++) await outcome(this.call(down));
  }

  async succeed(times = 1): Promise<void> {
    for (let call = 0; call < times; call++) await this.call();
  }

  /** Calls that run until their work is settled. */
  start(times = 1): Deferred<unknown>[] {
    const works = Array.from({ length: times }, () => deferred<unknown>());
    for (const { promise } of works) void outcome(this.call(() => promise));
    return works;
  }

  advance(ms: number): Promise<void> {
    return this.app.clock.advance(ms);
  }

  /** The outcomes of `times` calls at the same time. */
  async burst(times: number): Promise<{ ran: number; rejected: unknown[] }> {
    const visits = new Visits();
    const calls = Array.from({ length: times }, () => outcome(this.call(() => visits.visit())));
    const outcomes = await Promise.all(calls);
    const rejected = outcomes.filter((each) => 'error' in each).map(({ error }) => error);
    return { ran: visits.count, rejected };
  }
}

export const boom = new Error('boom');
