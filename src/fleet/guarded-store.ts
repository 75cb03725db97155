import type { StoreGuard } from './store-guard.js';
import type { ResilienceStore } from './store.js';

/** A step of the store. */
export type StoreStep<T> = (store: ResilienceStore) => Promise<T>;

/** The facts about the fleet that a question to the store needs. */
export interface FleetFacts {
  readonly instanceId: string;
  /** How many instances are alive, this one included; 0 when that is not known. */
  readonly instances: () => number;
  /** The longest that a call waits for the store, milliseconds. */
  readonly callTimeout: number;
  /** How long a step in the background may take, milliseconds. */
  readonly backgroundTimeout: number;
}

/** The store, as the limits and semaphores of this instance use it: see {@link StoreGuard}. */
export class GuardedStore {
  /** The listeners that wait for places, by the name of the semaphore. */
  private readonly listeners = new Map<string, Set<() => void>>();

  constructor(
    private readonly guard: StoreGuard,
    private readonly facts: FleetFacts,
  ) {}

  get instanceId(): string {
    return this.facts.instanceId;
  }

  /** Whether the store is asked at all; if not, each instance takes its share of a limit. */
  get available(): boolean {
    return this.guard.available;
  }

  /** Among how many instances a limit is divided while the store is away. */
  get instances(): number {
    return Math.max(1, this.facts.instances());
  }

  /**
   * Makes a step that a call waits for.
   *
   * @param late receives an answer that has come after the time budget
   * @returns `undefined` when there is no answer in time
   */
  ask<T>(step: StoreStep<T>, late?: (answer: T) => void): Promise<T | undefined> {
    return this.guard.ask(step, this.facts.callTimeout, late);
  }

  /** Makes a step that no call waits for. */
  send<T>(step: StoreStep<T>): Promise<T | undefined> {
    return this.guard.ask(step, this.facts.backgroundTimeout);
  }

  /** Listens to places of a semaphore that become free. @returns ends that */
  onPlace(name: string, listener: () => void): () => void {
    const listeners = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, listeners.add(listener));
    return () => {
      if (listeners.delete(listener) && listeners.size === 0) this.listeners.delete(name);
    };
  }

  /** Call it when the store has said so. */
  placeFreed(name: string): void {
    for (const listener of [...(this.listeners.get(name) ?? [])]) listener();
  }
}
