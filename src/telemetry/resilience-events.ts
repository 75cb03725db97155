import { brand } from '../common/brand.js';
import type { ResilienceEvent } from './events.js';

export type ResilienceEventListener = (event: ResilienceEvent) => void;

/** Injection token of the {@link ResilienceEvents}; as `CIRCUIT_BREAKER_REGISTRY`. */
export const RESILIENCE_EVENTS = brand('ResilienceEvents');

/**
 * Everything that the policies of one application do, as it happens. Injectable.
 *
 * Listeners are called synchronously, after the state has changed; one that throws, or whose promise rejects,
 * changes nothing. Without listeners no event object is made.
 *
 * @example
 * events.subscribe((event) => logger.log(JSON.stringify(event)));
 */
export class ResilienceEvents {
  private readonly subscriptions = new Set<{ readonly listener: ResilienceEventListener }>();

  /** @param onListenerError told of what listeners throw */
  constructor(private readonly onListenerError: (error: unknown) => void = () => {}) {}

  /** @internal Whether anybody listens: look before making an event. */
  active = false;

  /** @returns a function that ends the subscription */
  subscribe(listener: ResilienceEventListener): () => void {
    const subscription = { listener };
    this.subscriptions.add(subscription);
    this.active = true;
    return () => {
      this.subscriptions.delete(subscription);
      this.active = this.subscriptions.size > 0;
    };
  }

  emit(event: ResilienceEvent): void {
    for (const { listener } of this.subscriptions) notify(listener, event, this.onListenerError);
  }
}

/** Calls a user's listener so that nothing it does (throwing, an async function that rejects) reaches the caller. */
export function notify<T>(
  listener: (value: T) => unknown,
  value: T,
  onError: (error: unknown) => void,
): void {
  try {
    const result = listener(value) as Partial<PromiseLike<unknown>> | undefined | null;
    result?.then?.(undefined, onError);
  } catch (error) {
    onError(error);
  }
}
