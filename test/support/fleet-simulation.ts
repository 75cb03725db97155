import { Fleet } from '../../src/fleet/fleet.js';
import { type FleetOptions, readFleetOptions } from '../../src/fleet/options.js';
import type { CircuitView, ResilienceStore, StoreMessage } from '../../src/fleet/store.js';
import { OptionsReader, Problems } from '../../src/common/options-reader.js';
import { environmentOf } from '../../src/policies/circuit-breaker/environment.js';
import {
  type CircuitBreakerOptions,
  readCircuitBreakerOptions,
} from '../../src/policies/circuit-breaker/options.js';
import { SharedCircuitBreaker } from '../../src/policies/circuit-breaker/shared-circuit-breaker.js';
import { ResilienceEvents } from '../../src/telemetry/resilience-events.js';
import { ManualClock, MemoryStore } from '../../src/testing/index.js';

const NAME = 'storagesvc';

/** The size of a simulated fleet, and its troubles. */
export interface Scenario {
  readonly instances: number;
  readonly seed: number;
  readonly options?: CircuitBreakerOptions;
  /** The share of messages that get lost. Default 0. */
  readonly lost?: number;
  /** How long a step of the store takes at most, milliseconds; less than the time budget of a call. Default 0. */
  readonly latency?: number;
  /** Calls of an instance per second. Default 1. */
  readonly rate?: number;
}

/** Numbers from 0 to below 1 that depend on a seed alone (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** An instance: a fleet with one shared breaker. */
class Simulated {
  readonly fleet: Fleet;
  readonly breaker: SharedCircuitBreaker;
  /** Whether it has died: its work never ends, and it sends no messages. */
  dead = false;
  private newest: CircuitView | undefined = undefined;

  constructor(
    store: ResilienceStore,
    clock: ManualClock,
    random: () => number,
    options: CircuitBreakerOptions,
    id: string,
  ) {
    const reader = <T extends object>(given: T): OptionsReader<T> =>
      new OptionsReader(given, 'simulation', new Problems());
    const events = new ResilienceEvents();
    const settings = readFleetOptions(reader<FleetOptions>({ instanceId: id }));
    this.fleet = new Fleet({ store, settings, clock, random, events, log: () => {} });
    const site = { name: NAME, method: undefined, fleet: this.fleet };
    const { breaker } = readCircuitBreakerOptions(reader(options), site);
    const environment = environmentOf({ clock, random, events, warn: () => {} });
    this.breaker = new SharedCircuitBreaker(NAME, breaker, environment, this.fleet);
  }

  get known(): CircuitView | undefined {
    const { circuits } = this.fleet as unknown as {
      circuits: Map<string, { known: CircuitView | undefined }>;
    };
    return circuits.get(NAME)?.known;
  }

  /** @throws {Error} when an older epoch has replaced a newer one */
  checkEpoch(): void {
    const { known, newest } = this;
    if (known === undefined) return;
    if (known.incarnation === newest?.incarnation && known.epoch < newest.epoch) {
      throw new Error(`epoch ${known.epoch} has replaced ${newest.epoch}`);
    }
    this.newest = known;
  }
}

/** A fleet in virtual time, whose instances make calls of one dependency. */
export class Simulation {
  readonly clock = new ManualClock();
  readonly memory = new MemoryStore({ clock: this.clock });
  readonly instances: Simulated[] = [];
  /** Whether the dependency is down. */
  down = false;
  /** Probes that are running, and the most that have been at a time. */
  probes = 0;
  mostProbes = 0;
  /** Steps of the store by second. */
  readonly steps: number[] = [];
  private readonly random: () => number;

  constructor(private readonly scenario: Scenario) {
    this.random = randomOf(scenario.seed);
  }

  /** Starts all instances, within one interval of heartbeats, and lets them run for a while. */
  async start(): Promise<void> {
    const { clock, random, scenario } = this;
    const { instances, options } = scenario;
    for (let i = 0; i < instances; i++) {
      const each: Simulated = new Simulated(
        this.wayToStore(() => each),
        clock,
        random,
        { consecutiveFailures: 3, openFor: '5s', scope: 'shared', ...options },
        `i${i}`,
      );
      this.instances.push(each);
      clock.setTimer(() => each.fleet.start(), random() * 15_000);
      this.call(each);
    }
    await clock.advance(30_000);
  }

  /** Lets time pass. @returns steps of the store per second: on average, and in the second with the most */
  async run(seconds: number): Promise<{ readonly average: number; readonly peak: number }> {
    const from = Math.floor(this.clock.now() / 1_000);
    for (let second = 0; second < seconds; second++) {
      await this.clock.advance(1_000);
      for (const instance of this.instances) instance.checkEpoch();
    }
    const steps = Array.from({ length: seconds }, (_, i) => this.steps[from + i] ?? 0);
    return {
      average: steps.reduce((sum, each) => sum + each, 0) / seconds,
      peak: Math.max(...steps),
    };
  }

  /** How many of the living instances are in each state. */
  get states(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { breaker, dead } of this.instances) {
      if (!dead) counts[breaker.state] = (counts[breaker.state] ?? 0) + 1;
    }
    return counts;
  }

  /** The state in the store. */
  async shared(): Promise<CircuitView | undefined> {
    return (await this.memory.circuits([NAME]))[0];
  }

  close(): void {
    for (const { fleet } of this.instances) fleet.close();
  }

  /** Makes calls again and again. */
  private call(instance: Simulated): void {
    const { clock, random, scenario } = this;
    clock.setTimer(
      () => {
        if (instance.dead) return;
        void instance.breaker.execute(() => this.work(instance)).catch(() => {});
        this.call(instance);
      },
      ((0.5 + random()) * 1_000) / (scenario.rate ?? 1),
    );
  }

  private async work(instance: Simulated): Promise<void> {
    const probe = instance.breaker.state === 'half-open';
    if (probe) this.mostProbes = Math.max(this.mostProbes, ++this.probes);
    const { down } = this;
    await new Promise<void>((resolve) =>
      this.clock.setTimer(() => resolve(), 20 + 80 * this.random()),
    );
    if (probe) this.probes -= 1;
    if (instance.dead) return new Promise(() => {});
    if (down) throw new Error('down');
  }

  private wayToStore(instance: () => Simulated): ResilienceStore {
    const { clock, memory, random, scenario } = this;
    const { latency = 0, lost = 0 } = scenario;
    const later = (ms: number): Promise<void> =>
      ms === 0
        ? Promise.resolve()
        : new Promise((resolve) => void clock.setTimer(() => resolve(), ms));
    const step =
      <Args extends unknown[], T>(make: (...args: Args) => Promise<T>) =>
      async (...args: Args): Promise<T> => {
        const second = Math.floor(clock.now() / 1_000);
        this.steps[second] = (this.steps[second] ?? 0) + 1;
        await later((random() * latency) / 2);
        if (instance().dead) return new Promise(() => {});
        const answer = await make(...args);
        await later((random() * latency) / 2);
        return answer;
      };
    const hears =
      (listener: (message: StoreMessage) => void) =>
      (message: StoreMessage): void => {
        if (random() < lost) return;
        void later(random() * latency).then(() => listener(message));
      };
    return {
      kind: 'memory',
      circuit: step((...args) => memory.circuit(...args)),
      circuits: step((names) => memory.circuits(names)),
      limit: step((...args) => memory.limit(...args)),
      places: step((...args) => memory.places(...args)),
      // The memory store checks all instances for expired ones, which would take most of the time.
      heartbeat: step(async () => 1),
      instances: step(() => memory.instances()),
      leave: step(async () => {}),
      settings: step(() => memory.settings()),
      changeSettings: step((...args) => memory.changeSettings(...args)),
      subscribe: async (listener) => memory.subscribe(hears(listener)),
      close: async () => {},
    };
  }
}
