import { types } from 'node:util';
import { Observable, type Subscriber, Subscription, isObservable } from 'rxjs';
import { inThisContext } from '../common/async-context.js';
import { StreamResult } from '../common/outcomes/stream-result.js';
import type { Call } from '../pipeline/call.js';
import { sendable } from './answer-streams.js';
import { isIteratorHead } from './iterators.js';

/** The result of a stream that ended without an item, inside a pipeline. */
const EMPTY = Symbol('empty');

interface Item {
  readonly kind: 'next';
  readonly value: unknown;
}

type Notification =
  Item | { readonly kind: 'error'; readonly error: unknown } | { readonly kind: 'complete' };

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

  private readonly buffer: Notification[] = [];
  private subscriber: Subscriber<unknown> | undefined = undefined;
  private readonly source = new Subscription();

  constructor(private readonly call: Call) {
    super();
  }

  /** Lets an interruption of the call end the stream: the subscriber gets its error. */
  begin(source: Subscription): void {
    this.source.add(source);
    // Whoever interrupts the call, the teardown of the stream runs in the context of its subscriber.
    this.call.onInterrupt = inThisContext((error) => {
      this.source.unsubscribe();
      this.push({ kind: 'error', error });
    });
  }

  push(notification: Notification): void {
    if (this.subscriber === undefined) this.buffer.push(notification);
    else send(notification, this.subscriber);
  }

  /** The only item, if the stream has ended after one. The first notification is an item, by definition. */
  get only(): Item | undefined {
    const [first, second] = this.buffer;
    return second?.kind === 'complete' ? (first as Item) : undefined;
  }

  /** A stream cannot be kept in a cache. */
  toJSON(): undefined {}

  deliver(subscriber: Subscriber<unknown>): void {
    subscriber.add(() => {
      this.source.unsubscribe();
      this.call.finish();
    });
    for (const notification of this.buffer) send(notification, subscriber);
    this.subscriber = subscriber;
  }
}

function send(notification: Notification, subscriber: Subscriber<unknown>): void {
  if (notification.kind === 'next') subscriber.next(notification.value);
  else if (notification.kind === 'error') subscriber.error(notification.error);
  else subscriber.complete();
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
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const head = new StreamHead(call);
    let started = false;
    let subscription: Subscription | undefined = undefined;
    subscription = source.subscribe({
      next: (value) => {
        head.push({ kind: 'next', value });
        if (started) return;
        started = true;
        if (subscription !== undefined) head.begin(subscription);
        // A promise's Observable completes right after its item.
        queueMicrotask(() => resolve(head.only ? open(head.only.value, call) : head));
      },
      error: (error: unknown) => {
        if (started) {
          call.breakOff(error);
          head.push({ kind: 'error', error });
        } else reject(error);
      },
      complete: () => {
        if (started) head.push({ kind: 'complete' });
        else resolve(EMPTY);
      },
    });
    const begun = subscription;
    if (started) return head.begin(begun);
    call.onInterrupt = inThisContext((error) => {
      // The subscription has ended, but the work of a promise behind it may go on.
      if (call.runningWork === undefined) reject(error);
      else call.runningWork.then(resolve, reject);
      begun.unsubscribe();
    });
  });
}

const asItIs = (item: unknown): unknown => item;

/** Passes the result of a pipeline to a subscriber. */
function deliver(value: unknown, subscriber: Subscriber<unknown>): void {
  if (StreamHead.is(value)) return value.deliver(subscriber);
  if (isObservableResult(value)) {
    subscriber.add(value.subscribe(subscriber));
    return;
  }
  if (value !== EMPTY) subscriber.next(value);
  subscriber.complete();
}

/** The reason when a call is stopped because its subscriber has unsubscribed. */
const UNSUBSCRIBED = new Error('unsubscribed');

/** A stream that begins a call per subscription, and stops it on unsubscribing. */
export function asStream(
  begin: () => Call,
  run: (call: Call) => Promise<unknown>,
): Observable<unknown> {
  return new Observable((subscriber) => {
    const call = begin();
    call.interruptible = true;
    let handedOver = false;
    run(call).then(
      (value) => {
        if (!isIteratorHead(value)) return deliver(value, subscriber);
        handedOver = !subscriber.closed; // whoever consumes it ends it
        deliver(sendable(value, call), subscriber);
      },
      (error: unknown) => subscriber.error(error),
    );
    return () => {
      if (!handedOver) call.abort(UNSUBSCRIBED);
    };
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
