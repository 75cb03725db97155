import { Injectable } from '@nestjs/common';
import {
  type Breaker,
  CircuitBreaker,
  type CircuitBreakerOptions,
  type ResilienceModuleOptions,
} from '../../src/index.js';
import type { Clock } from '../../src/common/clock.js';
import type { ResilienceStore } from '../../src/fleet/store.js';
import { ManualClock, MemoryStore } from '../../src/testing/index.js';
import { type Booted, boot } from './boot.js';
import { type Deferred, deferred, settle } from './wait.js';

/** How a store fails. */
export type Trouble =
  'down' | 'frozen' | 'throwing' | 'answering nonsense' | { readonly slowMs: number };

/** Looks like an answer of each step. */
const NONSENSE = { granted: true, view: {}, allowed: true, waitMs: NaN, inUse: -1, lost: {} };

/** An instance's route to a store, which a test can cut, as a whole or for single methods. */
export class Route {
  trouble: Trouble | undefined = undefined;
  /** The methods in trouble; all of them by default. */
  methods: readonly (keyof ResilienceStore)[] | undefined = undefined;
  /** Calls so far, by method. */
  readonly calls: (keyof ResilienceStore)[] = [];
  readonly store: ResilienceStore;

  constructor(store: ResilienceStore, clock: Clock) {
    this.store = new Proxy(store, {
      get: (target, method: keyof ResilienceStore) => {
        const value: unknown = target[method];
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          this.calls.push(method);
          const make = (): unknown => Reflect.apply(value, target, args);
          const meant = this.methods === undefined || this.methods.includes(method);
          return meant ? this.disturb(make, clock) : make();
        };
      },
    });
  }

  private disturb(make: () => unknown, clock: Clock): unknown {
    const { trouble } = this;
    if (trouble === undefined) return make();
    if (trouble === 'down') return Promise.reject(new Error('no connection'));
    if (trouble === 'frozen') return new Promise(() => {});
    if (trouble === 'answering nonsense') return Promise.resolve(NONSENSE);
    if (trouble === 'throwing') throw new Error('not even a promise');
    return new Promise((resolve) => clock.setTimer(() => resolve(make()), trouble.slowMs));
  }
}

/** The work of the calls of an instance. */
type Work = () => Promise<unknown>;

/** An application with one shared breaker. */
export interface Instance extends Booted {
  readonly breaker: Breaker;
  readonly route: Route;
  /** Makes a call through the whole pipeline. */
  call(work?: Work): Promise<unknown>;
  fail(): Promise<unknown>;
  /** The state of the breaker, `!` when it is overridden. */
  readonly state: string;
}

/** Opens at the first failure, for 5 s. */
export const SHARED = {
  name: 'storagesvc',
  consecutiveFailures: 1,
  openFor: '5s',
  scope: 'shared',
} as const satisfies CircuitBreakerOptions;

/** Instances that share a store, and their clock. */
export class TestFleet {
  readonly clock = new ManualClock();
  readonly memory = new MemoryStore({ clock: this.clock });
  readonly instances: Instance[] = [];

  /** Starts instances with a breaker. */
  async start(
    count: number,
    options: CircuitBreakerOptions = {},
    resilience: ResilienceModuleOptions = {},
  ): Promise<Instance[]> {
    const started: Instance[] = [];
    for (let i = 0; i < count; i++) started.push(await this.startOne(options, resilience));
    await settle();
    return started;
  }

  /** The states of all, in their order. */
  get states(): string[] {
    return this.instances.map(({ state }) => state);
  }

  private async startOne(
    options: CircuitBreakerOptions,
    resilience: ResilienceModuleOptions,
  ): Promise<Instance> {
    @Injectable()
    class Storage {
      @CircuitBreaker({ ...SHARED, ...options })
      async ask(work: Work): Promise<unknown> {
        return work();
      }
    }
    const { clock } = this;
    const route = new Route(this.memory, clock);
    const instanceId = `i${this.instances.length + 1}`;
    const booted = await boot({
      providers: [Storage],
      resilience: { clock, store: route.store, fleet: { instanceId }, ...resilience },
    });
    const storage = booted.app.get(Storage);
    const breaker = options.key === undefined ? booted.registry.get(SHARED.name) : undefined!;
    const call = (work: Work = async () => 'books'): Promise<unknown> => storage.ask(work);
    const instance: Instance = {
      ...booted,
      breaker,
      route,
      call,
      fail: () => call(async () => Promise.reject(new Error('down'))).catch(() => {}),
      get state() {
        return breaker.override === undefined ? breaker.state : `${breaker.override.kind}!`;
      },
    };
    this.instances.push(instance);
    return instance;
  }
}

/** Calls that run until the test ends them. */
export class SlowCalls {
  readonly running: Deferred<unknown>[] = [];
  readonly work: Work = () => {
    const end = deferred<unknown>();
    this.running.push(end);
    return end.promise;
  };
}
