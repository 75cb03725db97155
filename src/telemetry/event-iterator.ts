import { readArgument } from '../common/given.js';
import type { ResilienceEvent } from './events.js';

/** Options of {@link ResilienceEvents.iterate}. */
export interface EventIteratorOptions {
  /** The most events that wait for a slow consumer. Default 1000. */
  readonly bufferSize?: number;
}

const DEFAULT_SIZE = 1_000;

type Item = IteratorResult<ResilienceEvent, undefined>;

const DONE: Item = { value: undefined, done: true };

/** The part of `ResilienceEvents` that iterators need. */
export interface EventSource {
  subscribe(listener: (event: ResilienceEvent) => void): () => void;
  /** Calls `ending` when the application closes, at once if it has closed. @returns a function that forgets it */
  whenClosed(ending: () => void): () => void;
}

/**
 * The events of an application, one after another, for `for await`. A slow consumer delays nothing: a limited number of
 * events waits for it, and the oldest are dropped.
 *
 * It ends when the application closes, or with `return()`, which `break` calls. An abandoned one is collected like any
 * other object, and costs nothing from then on.
 */
export class EventIterator implements AsyncIterableIterator<ResilienceEvent, undefined> {
  private lost = 0;
  private ended = false;
  /** The events that wait, as a ring: the oldest is at `first`. */
  private ring: ResilienceEvent[] = [];
  private first = 0;
  /** Requests that wait for an event. */
  private readonly requests: ((item: Item) => void)[] = [];

  /**
   * @internal
   * @param awaited holds the iterators that a consumer waits for: nothing else may keep them alive
   * @param release ends the subscription
   */
  constructor(
    private readonly size: number,
    private readonly awaited: Set<EventIterator>,
    private release: () => void,
  ) {}

  /** The number of events that have been dropped because the consumer was too slow. */
  get dropped(): number {
    return this.lost;
  }

  /** The next event. */
  next(): Promise<IteratorResult<ResilienceEvent, undefined>> {
    const event = this.shift();
    if (event !== undefined) return Promise.resolve({ value: event, done: false });
    if (this.ended) return Promise.resolve(DONE);
    this.awaited.add(this);
    return new Promise((resolve) => this.requests.push(resolve));
  }

  /** Ends the iterator; events that still wait are dropped. */
  return(): Promise<IteratorResult<ResilienceEvent, undefined>> {
    this.end();
    this.ring = [];
    return Promise.resolve(DONE);
  }

  /** Ends the iterator, like `throw()` of a generator. */
  async throw(error: unknown): Promise<IteratorResult<ResilienceEvent, undefined>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** @internal */
  get isOver(): boolean {
    return this.ended;
  }

  /** @internal */
  push(event: ResilienceEvent): void {
    if (this.ended) return;
    const request = this.requests.shift();
    if (request !== undefined) {
      if (this.requests.length === 0) this.awaited.delete(this);
      request({ value: event, done: false });
    } else if (this.ring.length < this.size) {
      this.ring.push(event);
    } else {
      this.ring[this.first] = event;
      this.first = (this.first + 1) % this.size;
      this.lost += 1;
    }
  }

  /** @internal No further event will come. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.release();
    leftAlone.unregister(this);
    this.awaited.delete(this);
    for (const request of this.requests.splice(0)) request(DONE);
  }

  private shift(): ResilienceEvent | undefined {
    const { ring, first } = this;
    if (first > 0) {
      // It was full: puts the ring in order again, so that the next one can be pushed.
      this.ring = [...ring.slice(first), ...ring.slice(0, first)];
      this.first = 0;
    }
    return this.ring.shift();
  }
}

/** Ends the subscriptions of iterators that have been collected. */
const leftAlone = new FinalizationRegistry<() => void>((release) => release());

/**
 * An iterator that the source does not keep alive, unless a consumer waits for an event.
 *
 * @throws {TypeError} when an option is wrong
 */
export function iterateOver(
  source: EventSource,
  awaited: Set<EventIterator>,
  options: EventIteratorOptions,
): EventIterator {
  const { bufferSize = DEFAULT_SIZE } = readArgument(
    'events.iterate()',
    options,
    '{ bufferSize }',
    (read) => ({ bufferSize: read.integer('bufferSize', { min: 1 }) }),
  );
  let release = (): void => {};
  const iterator = new EventIterator(bufferSize, awaited, () => release());
  release = connect(source, new WeakRef(iterator));
  if (iterator.isOver) release(); // the application has closed already
  leftAlone.register(iterator, release, iterator);
  return iterator;
}

/** A function of its own, because closures that are made in one function keep all of its variables alive. */
function connect(source: EventSource, ref: WeakRef<EventIterator>): () => void {
  const unsubscribe = source.subscribe((event) => ref.deref()?.push(event));
  const forget = source.whenClosed(() => ref.deref()?.end());
  return () => {
    unsubscribe();
    forget();
  };
}
