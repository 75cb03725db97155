import type { Clock } from '../../common/clock.js';
import { readArgument, requireFunction } from '../../common/given.js';
import type { OptionsReader } from '../../common/options-reader.js';
import { look } from '../../common/outcomes/look.js';
import { show } from '../../common/printable.js';
import { quietly } from '../../common/quietly.js';
import type {
  CircuitReply,
  CircuitStep,
  CircuitView,
  FleetSettings,
  InstanceInfo,
  LimitDecision,
  LimitRequest,
  LivingInstance,
  PlacesReply,
  PlacesStep,
  ResilienceStore,
  StoreMessage,
} from '../../fleet/store.js';
import { MemoryCircuits } from './circuits.js';
import { MemoryInstances } from './instances.js';
import { MemoryLimits } from './limits.js';
import { MemorySemaphores } from './semaphores.js';

/** The trouble of a {@link MemoryStore}. */
export type StoreTrouble =
  /** Each step rejects, as with a server that is down. */
  | 'down'
  /** No step ever ends, as with a server that is frozen; not even after {@link MemoryStore.recover}. */
  | 'frozen';

const NO_SETTINGS = { revision: 0, settings: '{}', changedAt: Infinity };

/**
 * A store in the memory of the process: for tests, where several applications share it.
 *
 * @example
 * const clock = new ManualClock();
 * const store = new MemoryStore({ clock });
 */
export class MemoryStore implements ResilienceStore {
  readonly kind = 'memory';
  private readonly clock: Pick<Clock, 'now'>;
  private readonly listeners = new Set<{ hear: (message: StoreMessage) => void }>();
  private readonly circuitsByName: MemoryCircuits;
  private readonly limits: MemoryLimits;
  private readonly semaphores: MemorySemaphores;
  private readonly living: MemoryInstances;
  private fleetSettings:
    (Pick<FleetSettings, 'revision' | 'settings'> & { readonly changedAt: number }) | undefined;
  private trouble: StoreTrouble | undefined;
  private counted = 0;

  /**
   * @param options.clock the source of all times, such as a `ManualClock`. Default: the time of the machine
   * @throws {TypeError} when an option is wrong
   */
  constructor(options: { readonly clock?: Pick<Clock, 'now'> } = {}) {
    this.clock = readArgument('new MemoryStore()', options, '{ clock }', clockIn) ?? performance;
    const now = (): number => this.clock.now();
    this.living = new MemoryInstances(now);
    this.limits = new MemoryLimits(now);
    this.semaphores = new MemorySemaphores(now, (name) => this.tell({ type: 'place', name }));
    this.circuitsByName = new MemoryCircuits(
      now,
      () => this.living.count(),
      (name, view) => this.tell({ type: 'circuit', name, view }),
    );
  }

  /** How many steps have been requested so far, including failed ones; subscriptions do not count. */
  get steps(): number {
    return this.counted;
  }

  circuit(name: string, step: CircuitStep): Promise<CircuitReply> {
    return this.step(() => this.circuitsByName.step(name, step));
  }

  circuits(names: readonly string[]): Promise<readonly (CircuitView | undefined)[]> {
    return this.step(() => names.map((name) => this.circuitsByName.view(name)));
  }

  limit(name: string, request: LimitRequest): Promise<LimitDecision> {
    return this.step(() => this.limits.take(name, request));
  }

  places(name: string, step: PlacesStep): Promise<PlacesReply> {
    return this.step(() => this.semaphores.step(name, step));
  }

  heartbeat(instance: InstanceInfo, ttlMs: number): Promise<number> {
    return this.step(() => this.living.heartbeat(instance, ttlMs));
  }

  instances(): Promise<readonly LivingInstance[]> {
    return this.step(() => this.living.all());
  }

  leave(instanceId: string): Promise<void> {
    return this.step(() => this.living.leave(instanceId));
  }

  settings(): Promise<FleetSettings | undefined> {
    return this.step(() => this.fleetSettings && this.settingsNow(false));
  }

  changeSettings(expectedRevision: number, settings: string): Promise<FleetSettings> {
    return this.step(() => {
      if ((this.fleetSettings?.revision ?? 0) !== expectedRevision) return this.settingsNow(false);
      const revision = expectedRevision + 1;
      this.fleetSettings = { revision, settings, changedAt: this.clock.now() };
      this.tell({ type: 'settings', revision });
      return this.settingsNow(true);
    });
  }

  /** Subscribes, also while the store is in trouble; events of that time are lost. */
  async subscribe(listener: (message: StoreMessage) => void): Promise<() => Promise<void>> {
    requireFunction('subscribe()', 'the listener', listener);
    const entry = { hear: listener };
    this.listeners.add(entry);
    return async () => void this.listeners.delete(entry);
  }

  /** Has no effect: others may share the store. */
  async close(): Promise<void> {}

  /**
   * Puts the store in trouble, until {@link recover}. Steps that are made meanwhile change nothing.
   *
   * @throws {TypeError} when there is no such trouble
   */
  fail(trouble: StoreTrouble = 'down'): void {
    if (trouble !== 'down' && trouble !== 'frozen') {
      throw new TypeError(`fail(${show(trouble)}): use 'down' or 'frozen'`);
    }
    this.trouble = trouble;
  }

  /** Ends the trouble, and tells all subscribers that messages may have been lost. */
  recover(): void {
    this.trouble = undefined;
    this.tell({ type: 'reconnected' });
  }

  /** Loses everything, like a server that restarts empty or whose keys are deleted. No listener is notified. */
  forget(): void {
    this.circuitsByName.clear();
    this.limits.clear();
    this.semaphores.clear();
    this.living.clear();
    this.fleetSettings = undefined;
  }

  private settingsNow(changed: boolean): FleetSettings {
    const now = this.clock.now();
    const { revision, settings, changedAt } = this.fleetSettings ?? NO_SETTINGS;
    return { revision, settings, ageMs: Math.floor(Math.max(0, now - changedAt)), changed };
  }

  private async step<T>(make: () => T): Promise<T> {
    this.counted++;
    if (this.trouble === 'frozen') return new Promise<never>(() => {});
    if (this.trouble === 'down') throw new Error('the memory store is down, because of fail()');
    return make();
  }

  /** Subscribers get it later, each with a copy of its own. */
  private tell(message: StoreMessage): void {
    for (const entry of this.listeners) {
      queueMicrotask(() => {
        if (this.listeners.has(entry)) quietly(() => entry.hear(structuredClone(message)));
      });
    }
  }
}

function clockIn(
  read: OptionsReader<{ readonly clock?: Pick<Clock, 'now'> }>,
): Pick<Clock, 'now'> | undefined {
  const clock = read.raw('clock');
  if (clock === undefined || typeof look(clock, 'now') === 'function') return clock;
  return read.wrong('clock', clock, 'an object with now(), such as a ManualClock');
}
