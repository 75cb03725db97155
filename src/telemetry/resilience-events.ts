import { AsyncResource } from 'node:async_hooks';
import { brand } from '../common/brand.js';
import { quietly } from '../common/quietly.js';
import type { ResilienceEvent } from './events.js';

/** Hears all events. Called synchronously; what it throws, or rejects with, changes nothing. */
export type ResilienceEventListener = (event: ResilienceEvent) => void;

/** Injection token of the {@link ResilienceEvents}; as `CIRCUIT_BREAKER_REGISTRY`. */
export const RESILIENCE_EVENTS = brand('ResilienceEvents');

/** A listener that answers events by causing events is stopped after this many. */
const MAX_ANSWERS = 1_000;

/** Stands for the listeners that do so. */
const endless: ResilienceEventListener = () => {};

/**
 * Everything that the policies of one application do, as it happens. Injectable.
 *
 * Listeners are called synchronously, after the state has changed; one that throws, or whose promise rejects,
 * changes nothing. All listeners hear all events in the same order: what one of them causes is told when all have
 * heard what it was told of. Without listeners no event object is made.
 *
 * @example
 * events.subscribe((event) => logger.log(JSON.stringify(event)));
 */
export class ResilienceEvents {
  private readonly subscriptions = new Set<{ readonly listener: ResilienceEventListener }>();
  /** Set while listeners are told: what they cause meanwhile, each to be told in its own async context. */
  private caused: (() => void)[] | undefined = undefined;

  /** @param onListenerError told of what a listener throws */
  constructor(
    private readonly onListenerError: (
      error: unknown,
      listener: ResilienceEventListener,
    ) => void = () => {},
  ) {}

  /** @internal Whether anybody listens: look before making an event. */
  active = false;

  /** Has `listener` told of every event from now on. @returns a function that ends the subscription */
  subscribe(listener: ResilienceEventListener): () => void {
    const subscription = { listener };
    this.subscriptions.add(subscription);
    this.active = true;
    return () => {
      this.subscriptions.delete(subscription);
      this.active = this.subscriptions.size > 0;
    };
  }

  /** Tells all listeners; for policies. */
  emit(event: ResilienceEvent): void {
    if (!this.active) return;
    if (this.caused !== undefined) return this.postpone(event);
    const caused: (() => void)[] = (this.caused = []);
    try {
      this.tell(event);
      for (const tell of caused) tell();
    } finally {
      this.caused = undefined;
    }
  }

  private tell(event: ResilienceEvent): void {
    // Who subscribes while listeners are told hears of what comes after.
    for (const subscription of [...this.subscriptions]) {
      if (this.subscriptions.has(subscription)) {
        const { listener } = subscription;
        notify(listener, event, (error) => this.onListenerError(error, listener));
      }
    }
  }

  private postpone(event: ResilienceEvent): void {
    const caused = this.caused!;
    if (caused.length < MAX_ANSWERS) {
      caused.push(AsyncResource.bind(() => this.tell(event)));
    } else if (caused.length === MAX_ANSWERS) {
      const error = new Error(
        `listeners answer events with events, without end; "${event.type}" is left out`,
      );
      caused.push(() =>
        notify(
          (thrown) => this.onListenerError(thrown, endless),
          error,
          () => {},
        ),
      );
    }
  }
}

/** Calls a user's listener so that nothing it does (throwing, an async function that rejects) reaches the caller. */
export function notify<T>(
  listener: (value: T) => unknown,
  value: T,
  onError: (error: unknown) => void,
): void {
  const tell = (error: unknown): void => quietly(() => onError(error));
  try {
    const result = listener(value) as Partial<PromiseLike<unknown>> | undefined | null;
    result?.then?.(undefined, tell);
  } catch (error) {
    tell(error);
  }
}
