import { show } from '../../common/options-reader.js';
import type { BreakerOverride, StateChangeEvent } from '../../telemetry/events.js';
import { notify } from '../../telemetry/resilience-events.js';
import type { BreakerEnvironment } from './environment.js';

export type StateChangeListener = (change: StateChangeEvent) => void;

/** Tells what a breaker has done, after it has done it; nothing that listeners do reaches the breaker. */
export class Announcer {
  private readonly subscriptions = new Set<{ readonly listener: StateChangeListener }>();

  constructor(
    private readonly name: string,
    private readonly environment: BreakerEnvironment,
  ) {}

  get hasListeners(): boolean {
    return this.subscriptions.size > 0;
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: StateChangeListener): () => void {
    const subscription = { listener };
    this.subscriptions.add(subscription);
    return () => {
      this.subscriptions.delete(subscription);
    };
  }

  /** @param configured the listener of the breaker's options */
  stateChange(change: StateChangeEvent, configured: StateChangeListener | undefined): void {
    const { environment, name } = this;
    const { from, to, reason } = change;
    const onError = (error: unknown): void =>
      environment.warn(`circuit "${name}": a state listener threw ${show(error)}`);
    environment.log(`circuit "${name}" is ${to}, was ${from}: ${reason}`);
    environment.events.emit(change);
    if (configured !== undefined) notify(configured, change, onError);
    for (const { listener } of this.subscriptions) notify(listener, change, onError);
  }

  /** @param observed whether the call was let through all the same */
  rejection(retryAfterMs: () => number | undefined, observed: boolean): void {
    const { events } = this.environment;
    if (!events.active) return;
    events.emit({
      type: 'rejected',
      name: this.name,
      policy: 'circuitBreaker',
      code: 'CIRCUIT_OPEN',
      retryAfterMs: retryAfterMs(),
      ...(observed && { observed }),
    });
  }

  override(override: BreakerOverride | undefined): void {
    const { events } = this.environment;
    if (events.active) events.emit({ type: 'override', name: this.name, override });
  }
}
