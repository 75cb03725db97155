import { type Observable, observable } from 'rxjs';
import { inThisContext } from '../common/async-context.js';
import { brand } from '../common/brand.js';
import { requireFunction } from '../common/given.js';
import { look } from '../common/outcomes/look.js';
import { show } from '../common/printable.js';
import { CallMeters } from './call-meter.js';
import type { CallTracer } from './call-tracer.js';
import { eventChannels } from './event-channels.js';
import { hideErrorFromJson } from './event-json.js';
import { type EventIterator, type EventIteratorOptions, iterateOver } from './event-iterator.js';
import { resilienceEventKinds } from './event-kinds.js';
import { EventStream } from './event-stream.js';
import type {
  RejectedEvent,
  ResilienceEvent,
  ResilienceEventKind,
  ResilienceEventOf,
} from './events.js';
import { notify } from './notify.js';

/** Receives all events. Called synchronously; an error that it throws or rejects with changes nothing. */
export type ResilienceEventListener = (event: ResilienceEvent) => void;

/** Injection token of the {@link ResilienceEvents}; for its purpose see `CIRCUIT_BREAKER_REGISTRY`. */
export const RESILIENCE_EVENTS = brand('ResilienceEvents');

/** Limit for events that listeners cause while they handle one. */
const MAX_ANSWERS = 1_000;

/** Represents the listeners that exceed the limit, in the complaint about them. */
const endless = (): void => {};

/** A listener, as long as it listens. */
interface Subscription {
  readonly listener: ResilienceEventListener;
  readonly onError: (error: unknown) => void;
  ended: boolean;
}

/** The subscriptions by kind of event, in their order. The lists are replaced, never changed. */
type Subscriptions = Record<ResilienceEventKind, readonly Subscription[]>;

const channels = eventChannels;

const { 'call-start': callStarts, 'call-end': callEnds } = channels;

/**
 * The events of the policies of one application. Injectable.
 *
 * Listeners are called synchronously, after the state has changed; one that throws, or whose promise rejects,
 * changes nothing. All listeners receive all events in the same order: an event that a listener causes is emitted after
 * all listeners have received the current one. An event object of a kind without listeners is not made. As JSON, an event
 * shows only the name and the message of its error.
 *
 * @example
 * events.subscribe((event) => logger.log(JSON.stringify(event)));
 */
export class ResilienceEvents {
  private readonly subscriptions = Object.fromEntries(
    resilienceEventKinds.map((kind) => [kind, []]),
  ) as unknown as Subscriptions;
  /** @internal Set by a tracer of the application's calls. */
  tracer: CallTracer | undefined = undefined;
  /** @internal Called at the end of each call. Do not count as listeners. */
  readonly meters = new CallMeters((error, meter) => this.onListenerError(error, meter));
  /** @internal Set by the log while it waits for the next rejection. Does not count as a listener. */
  rejectionSample: ((event: RejectedEvent) => void) | undefined = undefined;
  /** @internal Rejections since the start, with or without listeners. */
  rejections = 0;
  private wantsCalls = false;
  private wantsCallStarts = false;
  private wantsCallEnds = false;
  private wantsAttempts = false;
  /** Set while an event is being emitted: deferred emissions of the events that listeners cause, in their async contexts. */
  private caused: (() => void)[] | undefined = undefined;
  private closed = false;
  private readonly endings = new Set<() => void>();
  private readonly awaited = new Set<EventIterator>();

  /** @param onListenerError receives errors and rejections of listeners */
  constructor(
    private readonly onListenerError: (error: unknown, listener: object) => void = () => {},
  ) {
    requireFunction('new ResilienceEvents()', 'the receiver of errors', onListenerError);
  }

  /** @internal Whether events of this kind have a listener; to be checked before an event object is made. */
  active(kind: ResilienceEventKind): boolean {
    return this.subscriptions[kind].length > 0 || channels[kind].hasSubscribers;
  }

  /** @internal Call it once per rejection: counts it. @returns whether an event has to be made */
  countRejection(): boolean {
    this.rejections += 1;
    return this.rejectionSample !== undefined || this.active('rejected');
  }

  /** @internal Whether anything observes the beginnings or ends of calls. Each call asks, so it has to be cheap. */
  get hearsCalls(): boolean {
    return (
      this.wantsCalls || this.meters.any || callEnds.hasSubscribers || callStarts.hasSubscribers
    );
  }

  /** @internal The same as `active('call-start')`, but cheaper. */
  get hearsCallStarts(): boolean {
    return this.wantsCallStarts || callStarts.hasSubscribers;
  }

  /** @internal The same as `active('call-end')`, but cheaper. */
  get hearsCallEnds(): boolean {
    return this.wantsCallEnds || callEnds.hasSubscribers;
  }

  /** @internal Whether events of attempts have a listener. */
  get hearsAttempts(): boolean {
    return (
      this.wantsAttempts ||
      channels.attempt.hasSubscribers ||
      channels['attempt-start'].hasSubscribers ||
      channels.late.hasSubscribers
    );
  }

  /**
   * Calls `listener` with every event from now on.
   *
   * @returns a function that ends the subscription
   * @throws {TypeError} when the listener is not a function
   */
  subscribe(listener: ResilienceEventListener): () => void {
    return this.add(resilienceEventKinds, listener);
  }

  /**
   * Calls `listener` with every event of one kind from now on. Calls only make events that have a listener.
   *
   * @returns a function that ends the subscription
   * @throws {TypeError} when there is no such kind of event, or the listener is not a function
   *
   * @example
   * events.on('state-change', ({ name, to }) => pager.tell(`${name} is ${to}`));
   */
  on<Kind extends ResilienceEventKind>(
    kind: Kind,
    listener: (event: ResilienceEventOf<Kind>) => void,
  ): () => void {
    if (!resilienceEventKinds.includes(kind)) {
      const known = resilienceEventKinds.join(', ');
      throw new TypeError(`events.on(${show(kind)}, …): unknown event; use ${known}`);
    }
    return this.add([kind], listener as ResilienceEventListener);
  }

  /**
   * All events from its subscription on. Completes when the application closes. Subscribers may throw, as listeners may.
   *
   * @example
   * events.asObservable().pipe(filter(({ type }) => type === 'late')).subscribe(tell);
   */
  asObservable(): Observable<ResilienceEvent> {
    return new EventStream(this.onListenerError, (subscriber) => {
      const end = this.subscribe((event) => subscriber.next(event));
      const forget = this.whenClosed(() => subscriber.complete());
      return () => {
        end();
        forget();
      };
    });
  }

  /** All events from now on, for `for await`: see {@link EventIterator}. @throws {TypeError} when an option is wrong */
  iterate(options: EventIteratorOptions = {}): EventIterator {
    return iterateOver(this, this.awaited, options);
  }

  /**
   * All events from now on.
   *
   * @example
   * for await (const event of events) await store.add(event);
   */
  [Symbol.asyncIterator](): EventIterator {
    return this.iterate();
  }

  /** @internal Calls `ending` when the application closes. @returns a function that forgets it */
  whenClosed(ending: () => void): () => void {
    if (this.closed) {
      ending();
      return () => {};
    }
    this.endings.add(ending);
    return () => {
      this.endings.delete(ending);
    };
  }

  /** @internal Call it when the application closes: ends all iterators and Observables. Listeners stay. */
  close(): void {
    this.closed = true;
    for (const ending of [...this.endings]) ending();
    this.endings.clear();
  }

  /** Calls all listeners; for policies. @throws {TypeError} when it is not an event */
  emit(event: ResilienceEvent): void {
    if (!Object.hasOwn(this.subscriptions, look(event, 'type') as PropertyKey))
      throw noEvent(event);
    const sampled = event.type === 'rejected' && this.rejectionSample !== undefined;
    if (!sampled && !this.active(event.type)) return;
    if (this.caused !== undefined) return this.postpone(event);
    const caused: (() => void)[] = (this.caused = []);
    try {
      this.deliver(event);
      for (const deliver of caused) deliver();
    } finally {
      this.caused = undefined;
    }
  }

  private add(
    kinds: readonly ResilienceEventKind[],
    listener: ResilienceEventListener,
  ): () => void {
    requireFunction('ResilienceEvents', 'the listener', listener);
    const onError = (error: unknown): void => this.onListenerError(error, listener);
    const subscription: Subscription = { listener, onError, ended: false };
    this.change(kinds, (all) => [...all, subscription]);
    return () => {
      if (subscription.ended) return;
      subscription.ended = true;
      this.change(kinds, (all) => all.filter((each) => each !== subscription));
    };
  }

  private change(
    kinds: readonly ResilienceEventKind[],
    changed: (all: readonly Subscription[]) => readonly Subscription[],
  ): void {
    const { subscriptions } = this;
    for (const kind of kinds) subscriptions[kind] = changed(subscriptions[kind]);
    const wants = (kind: ResilienceEventKind): boolean => subscriptions[kind].length > 0;
    this.wantsCallStarts = wants('call-start');
    this.wantsCallEnds = wants('call-end');
    this.wantsCalls = this.wantsCallStarts || this.wantsCallEnds;
    this.wantsAttempts = wants('attempt-start') || wants('attempt') || wants('late');
  }

  private deliver(event: ResilienceEvent): void {
    const { type } = event;
    hideErrorFromJson(event);
    const sample = this.rejectionSample;
    if (type === 'rejected' && sample !== undefined) {
      notify(sample, event, (error) => this.onListenerError(error, sample));
    }
    // A listener that subscribes meanwhile receives later events only.
    for (const { listener, onError, ended } of this.subscriptions[type]) {
      if (!ended) notify(listener, event, onError);
    }
    const channel = channels[type];
    if (channel.hasSubscribers) channel.publish(event);
  }

  private postpone(event: ResilienceEvent): void {
    const caused = this.caused!;
    if (caused.length < MAX_ANSWERS) {
      caused.push(inThisContext(() => this.deliver(event)));
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

function noEvent(given: unknown): TypeError {
  const known = resilienceEventKinds.join(', ');
  return new TypeError(`events.emit(${show(given)}): use an event, whose type is one of ${known}`);
}

// For RxJS, where `from(events)` would otherwise take the iterator.
Object.defineProperty(ResilienceEvents.prototype, observable, {
  value: function (this: ResilienceEvents) {
    return this.asObservable();
  },
});
