import { setImmediate } from 'node:timers'; // test frameworks replace the global one
import { types } from 'node:util';
import {
  Observable,
  type Subscriber,
  type Subscription,
  type Unsubscribable,
  isObservable,
} from 'rxjs';
import { thisContext } from '../../common/async-context.js';
import { soon } from '../../common/soon.js';
import { StreamResult } from '../../common/outcomes/stream-result.js';
import { AwaitedWork } from '../../pipeline/awaited-work.js';
import type { Call } from '../../pipeline/call.js';
import type { Stoppable } from '../../pipeline/call-state.js';
import type { Waiter } from '../../pipeline/waiter.js';
import { sendable } from './answer-streams.js';
import type { ErrorMapper } from './error-mapper.js';
import { isIteratorHead } from './iterators.js';

/** The result of a stream that ended without an item, inside a pipeline. */
const EMPTY = Symbol('empty');

type Notification =
  | { readonly kind: 'next'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'complete' };

/**
 * An Observable whose first item has arrived, which makes the attempt a success. Everything after it, errors included, goes
 * to the subscriber.
 */
class StreamHead extends StreamResult {
  readonly #brand = true;

  /** Like `instanceof`, which may throw if the result is a proxy. */
  static is(value: unknown): value is StreamHead {
    return typeof value === 'object' && value !== null && #brand in value;
  }

  private readonly buffer: Notification[];
  private subscriber: Subscriber<unknown> | undefined = undefined;
  private mapError: ErrorMapper = asItIs;

  constructor(
    first: unknown,
    private readonly call: Call,
    private readonly source: Beginning,
  ) {
    super();
    this.buffer = [{ kind: 'next', value: first }];
  }

  push(notification: Notification): void {
    if (this.subscriber === undefined) this.buffer.push(notification);
    else this.send(notification, this.subscriber);
  }

  /** A stream cannot be kept in a cache. */
  toJSON(): undefined {}

  /** @param mapError of {@link asStream} */
  deliver(subscriber: Subscriber<unknown>, mapError: ErrorMapper): void {
    this.mapError = mapError;
    subscriber.add(() => {
      this.source.unsubscribe();
      this.call.finish();
    });
    for (const notification of this.buffer) this.send(notification, subscriber);
    this.buffer.length = 0;
    this.subscriber = subscriber;
  }

  private send(notification: Notification, subscriber: Subscriber<unknown>): void {
    if (notification.kind === 'next') subscriber.next(notification.value);
    else if (notification.kind === 'error') fail(notification.error, subscriber, this.mapError);
    else subscriber.complete();
  }
}

/** Listens to an Observable until its first item has arrived, and passes later items to a {@link StreamHead}. */
class Beginning extends AwaitedWork implements Stoppable {
  private begun = false;
  private first: unknown = undefined;
  /** Whether it has ended after its first item. */
  private ended = false;
  /** Made when it has more than one item, or when more may come. */
  private head: StreamHead | undefined = undefined;
  private subscription: Subscription | undefined = undefined;

  constructor(
    private readonly call: Call,
    private readonly open: (item: unknown, call: Call) => unknown,
  ) {
    super();
  }

  subscribe(source: Observable<unknown>): void {
    // The method that returned the Observable has interrupted its own call, which knows the error.
    if (this.call.interrupted) return this.reject(undefined);
    this.call.callerContext ??= thisContext();
    this.call.stoppable = this;
    this.subscription = source.subscribe(this);
    if (this.call.interrupted) this.unsubscribe(); // by the source itself, while it was being subscribed to
  }

  unsubscribe(): void {
    this.subscription?.unsubscribe();
  }

  next(value: unknown): void {
    if (this.begun) return this.more().push({ kind: 'next', value });
    this.begun = true;
    this.first = value;
    // A promise's Observable completes right after its item.
    soon(() => this.begin());
  }

  error(error: unknown): void {
    if (!this.begun) return this.reject(error);
    this.call.breakOff(error);
    this.more().push({ kind: 'error', error });
  }

  complete(): void {
    if (!this.begun) soon(() => this.resolve(EMPTY));
    else if (this.head === undefined) this.ended = true;
    else this.head.push({ kind: 'complete' });
  }

  private begin(): void {
    this.resolve(this.ended ? this.open(this.first, this.call) : this.more());
  }

  private more(): StreamHead {
    return (this.head ??= new StreamHead(this.first, this.call, this));
  }

  stop(error: unknown): void {
    if (this.ended) return;
    const { runningWork } = this.call;
    if (this.begun) this.more().push({ kind: 'error', error });
    // The subscription has ended, but the work of a promise behind it may go on.
    else if (runningWork !== undefined) {
      runningWork.then(
        (value) => this.resolve(value),
        (reason: unknown) => this.reject(reason),
      );
    } else this.reject(error);
    this.unsubscribe();
  }
}

/**
 * Subscribes, and resolves when the first item has arrived: to the item itself if the stream ends with it, otherwise to the
 * stream. Rejects with an error that comes before the first item. An interruption of the call unsubscribes.
 *
 * @param open applied to an only item
 */
export function firstOf(
  source: Observable<unknown>,
  call: Call,
  open: (item: unknown, call: Call) => unknown = asItIs,
): PromiseLike<unknown> {
  const beginning = new Beginning(call, open);
  beginning.subscribe(source);
  return beginning;
}

const asItIs = (it: unknown): unknown => it;

/** Passes the result of a pipeline to a subscriber. */
function deliver(value: unknown, subscriber: Subscriber<unknown>, mapError: ErrorMapper): void {
  if (StreamHead.is(value)) return value.deliver(subscriber, mapError);
  if (isObservableResult(value)) {
    const observer = {
      next: (item: unknown): void => subscriber.next(item),
      error: (error: unknown): void => fail(error, subscriber, mapError),
      complete: (): void => subscriber.complete(),
    };
    subscriber.add(value.subscribe(observer));
    return;
  }
  if (value !== EMPTY) subscriber.next(value);
  subscriber.complete();
}

function fail(error: unknown, subscriber: Subscriber<unknown>, mapError: ErrorMapper): void {
  let reason: unknown;
  try {
    reason = mapError(error, false);
  } catch (thrown) {
    reason = thrown;
  }
  subscriber.error(reason);
}

/** The reason when a call is stopped because its subscriber has unsubscribed. */
const UNSUBSCRIBED = new Error('unsubscribed');

/** Passes the outcome of a call to the subscriber of its stream, and stops the call when that unsubscribes. */
class Delivery implements Waiter, Unsubscribable {
  /** Whether the result is an iterator, which its consumer ends. */
  private handedOver = false;

  constructor(
    private readonly subscriber: Subscriber<unknown>,
    private readonly call: Call,
    private readonly mapError: ErrorMapper,
  ) {}

  resolve(result: unknown): void {
    const { subscriber, mapError } = this;
    if (!isIteratorHead(result)) return deliver(result, subscriber, mapError);
    let answer: unknown;
    try {
      answer = sendable(result, mapError);
    } catch (error) {
      return this.reject(error);
    }
    this.handedOver = !subscriber.closed;
    deliver(answer, subscriber, mapError);
  }

  reject(error: unknown): void {
    fail(error, this.subscriber, this.mapError);
  }

  unsubscribe(): void {
    if (!this.handedOver) this.call.abort(UNSUBSCRIBED);
  }
}

/**
 * The same for the handler of an event. When one of several handlers of an event fails, Nest unsubscribes from all of them, which must
 * not stop those that have begun. They go on, and a failure is told a turn of the event loop later: those that do not wait for
 * guards have begun by then.
 */
class EventDelivery extends Delivery {
  override reject(error: unknown): void {
    setImmediate(() => super.reject(error));
  }

  override unsubscribe(): void {}
}

/**
 * A stream that begins a call per subscription, and stops it on unsubscribing, unless it is that of an event.
 *
 * @param run runs a call, and reports its outcome
 * @param mapError maps an error to the one that the subscriber gets
 * @param ofEvent whether it is the call of a handler of events
 */
export function asStream(
  begin: () => Call,
  run: (call: Call, waiter: Waiter) => void,
  mapError: ErrorMapper = asItIs,
  ofEvent = false,
): Observable<unknown> {
  return new Observable((subscriber) => {
    const call = begin();
    call.interruptible = true;
    call.callerContext = thisContext();
    const delivery = new (ofEvent ? EventDelivery : Delivery)(subscriber, call, mapError);
    run(call, delivery);
    return delivery;
  });
}

/** Whether a value is an Observable or an async iterable. */
export function isStream(value: unknown): boolean {
  return isObservableResult(value) || isAsyncIterable(value);
}

/** `isObservable()` for any result, never throwing. Called for each result, so the cheapest check comes first. */
export function isObservableResult(value: unknown): value is Observable<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    if (typeof (value as { subscribe?: unknown }).subscribe !== 'function') return false;
    // A proxy may have a function for every name, as mocks do.
    return isObservable(value) && !types.isProxy(value);
  } catch {
    return false; // a value that cannot be inspected is a result like any other
  }
}

function isAsyncIterable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return Symbol.asyncIterator in value;
  } catch {
    return false;
  }
}
