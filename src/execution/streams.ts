import { type Observable, type Subscriber, isObservable } from 'rxjs';
import { OngoingResult } from '../common/outcome.js';
import type { Call } from '../pipeline/call.js';

/** What a stream that ended without an item stands for in a pipeline. */
const EMPTY = Symbol('empty');

type Notification =
  | { readonly kind: 'next'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'complete' };

/**
 * An Observable whose first item has arrived, which makes the attempt a success: what comes after it, an error
 * too, goes to the subscriber.
 */
class StreamHead extends OngoingResult {
  private readonly buffer: Notification[] = [];
  private subscriber: Subscriber<unknown> | undefined = undefined;
  /** Ends the source. */
  cancel: () => void = () => {};

  push(notification: Notification): void {
    if (this.subscriber === undefined) this.buffer.push(notification);
    else send(notification, this.subscriber);
  }

  /** The only item, when the stream has ended after it. */
  get only(): { value: unknown } | undefined {
    const [first, second] = this.buffer;
    return first?.kind === 'next' && second?.kind === 'complete' ? first : undefined;
  }

  /** A stream that goes on is no result that a cache could keep. */
  toJSON(): undefined {}

  deliver(subscriber: Subscriber<unknown>): void {
    subscriber.add(this.cancel);
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
 * Subscribes, and resolves when the first item has arrived: to the item itself when the stream ends with it.
 * An error before it rejects. An interruption of the call unsubscribes.
 */
export function firstOf(source: Observable<unknown>, call: Call): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const head = new StreamHead();
    let started = false;
    const begin = (): void => {
      started = true;
      call.onInterrupt = undefined;
      // A promise's Observable completes right after its item.
      queueMicrotask(() => resolve(head.only ? head.only.value : head));
    };
    const subscription = source.subscribe({
      next: (value) => {
        head.push({ kind: 'next', value });
        if (!started) begin();
      },
      error: (error: unknown) => {
        if (started) head.push({ kind: 'error', error });
        else reject(error);
      },
      complete: () => {
        if (started) head.push({ kind: 'complete' });
        else resolve(EMPTY);
      },
    });
    head.cancel = () => subscription.unsubscribe();
    if (started) return;
    call.onInterrupt = () => {
      subscription.unsubscribe();
      // The subscription is over, but a promise behind it may not be.
      const ended = (): void => reject(new Error('unsubscribed'));
      if (call.tracked === undefined) ended();
      else call.tracked.then(ended, ended);
    };
  });
}

/** Hands the outcome of a pipeline to a subscriber. */
export function deliver(value: unknown, subscriber: Subscriber<unknown>): void {
  if (value instanceof StreamHead) return value.deliver(subscriber);
  if (isObservable(value)) {
    subscriber.add(value.subscribe(subscriber));
    return;
  }
  if (value !== EMPTY) subscriber.next(value);
  subscriber.complete();
}

/** An async iterator that has given its first item. */
class IteratorHead extends OngoingResult {
  constructor(
    readonly iterator: AsyncIterator<unknown>,
    readonly first: IteratorResult<unknown>,
  ) {
    super();
  }

  /** As that of {@link StreamHead}. */
  toJSON(): undefined {}
}

/** Asks for the first item. */
export async function firstItemOf(source: AsyncIterable<unknown>, call: Call): Promise<unknown> {
  const iterator = source[Symbol.asyncIterator]();
  call.onInterrupt = () => {
    iterator.return?.().then(undefined, () => {}); // nobody is left who could be told
  };
  const first = await iterator.next();
  call.onInterrupt = undefined;
  return new IteratorHead(iterator, first);
}

/** Runs `begin` when the first item is asked for, and goes on with what it resolves to. */
export async function* iterate(begin: () => Promise<unknown>): AsyncGenerator<unknown, unknown> {
  const value = await begin();
  if (value instanceof IteratorHead) {
    let { first: item } = value;
    const { iterator } = value;
    let ended = false;
    try {
      while (!item.done) {
        yield item.value;
        item = await iterator.next();
      }
      ended = true;
      return item.value as unknown;
    } finally {
      if (!ended) await iterator.return?.();
    }
  }
  if (isIterable(value)) yield* value as AsyncIterable<unknown>;
  else yield value;
  return undefined;
}

function isIterable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}
