import { inThisContext } from '../common/async-context.js';
import { brand } from '../common/brand.js';
import { quietly } from '../common/quietly.js';
import type { ResilienceEvent } from './events.js';

/** Receives all events. Called synchronously; an error that it throws or rejects with changes nothing. */
export type ResilienceEventListener = (event: ResilienceEvent) => void;

/** Injection token of the {@link ResilienceEvents}; for its purpose see `CIRCUIT_BREAKER_REGISTRY`. */
export const RESILIENCE_EVENTS = brand('ResilienceEvents');

/** Limit for events that listeners cause while they handle one. */
const MAX_ANSWERS = 1_000;

/** Stands for the listeners that exceed the limit, in the complaint about them. */
const endless: ResilienceEventListener = () => {};

/**
 * The events of the policies of one application. Injectable.
 *
 * Listeners are called synchronously, after the state has changed; one that throws, or whose promise rejects,
 * changes nothing. All listeners receive all events in the same order: an event that a listener causes is emitted after
 * all listeners have received the current one. Without listeners no event object is made.
 *
 * @example
 * events.subscribe((event) => logger.log(JSON.stringify(event)));
 */
export class ResilienceEvents {
  private readonly subscriptions = new Set<{ readonly listener: ResilienceEventListener }>();
  /** Set while an event is being emitted: deferred emissions of the events that listeners cause, in their async contexts. */
  private caused: (() => void)[] | undefined = undefined;

  /** @param onListenerError receives what a listener throws or rejects with */
  constructor(
    private readonly onListenerError: (
      error: unknown,
      listener: ResilienceEventListener,
    ) => void = () => {},
  ) {}

  /** @internal Whether anybody listens; to be checked before an event object is made. */
  active = false;

  /** Calls `listener` with every event from now on. @returns a function that ends the subscription */
  subscribe(listener: ResilienceEventListener): () => void {
    const subscription = { listener };
    this.subscriptions.add(subscription);
    this.active = true;
    return () => {
      this.subscriptions.delete(subscription);
      this.active = this.subscriptions.size > 0;
    };
  }

  /** Calls all listeners; for policies. */
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
    // A listener that subscribes meanwhile receives only later events.
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
      caused.push(inThisContext(() => this.tell(event)));
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
