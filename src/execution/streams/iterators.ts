import { StreamResult } from '../../common/outcomes/stream-result.js';
import type { Call } from '../../pipeline/call.js';
import { ClientGoneError } from '../client-gone-error.js';
import type { ErrorMapper } from './error-mapper.js';

type Item = IteratorResult<unknown, unknown>;

/** An async iterator that has yielded its first item, which makes the attempt a success. */
class IteratorHead extends StreamResult {
  readonly #brand = true;

  /** Like `instanceof`, which may throw if the result is a proxy. */
  static is(value: unknown): value is IteratorHead {
    return typeof value === 'object' && value !== null && #brand in value;
  }

  constructor(
    readonly iterator: AsyncIterator<unknown>,
    readonly first: Item,
    readonly call: Call,
    override readonly whole: object | undefined,
  ) {
    super();
  }

  /** A stream cannot be kept in a cache. */
  toJSON(): undefined {}
}

export type { IteratorHead };

/** Whether a pipeline's result is an async iterator that has begun. */
export function isIteratorHead(value: unknown): value is IteratorHead {
  return IteratorHead.is(value);
}

/**
 * The rest of an iterator that has begun, its first item included, for a consumer of its own.
 *
 * @param mapError maps an error to the one that the consumer gets
 */
export function resume(
  head: IteratorHead,
  mapError: ErrorMapper,
): AsyncIterableIterator<unknown, unknown, unknown> {
  return new ProtectedIterator(nothingToBegin, new RunningSource(head, mapError));
}

const asItIs: ErrorMapper = (error) => error;

const nothingToBegin = (): Promise<never> => Promise.reject(new Error('has begun already'));

/**
 * Requests the first item.
 *
 * @param whole the answer that has the items as its body
 */
export async function firstItemOf(
  source: AsyncIterable<unknown>,
  call: Call,
  whole?: object,
): Promise<unknown> {
  const iterator = source[Symbol.asyncIterator]();
  let givenUp = false;
  call.stoppable = {
    stop: () => {
      givenUp = true;
      void endQuietly(iterator);
    },
  };
  const first = await iterator.next();
  if (givenUp) return undefined; // the call continues with another attempt, or has ended
  // The consumer may never request a second item.
  call.stoppable = { stop: () => void endQuietly(iterator).then(() => call.finish()) };
  return new IteratorHead(iterator, first, call, whole);
}

/** Ends an iterator that will not be read further. */
export async function endQuietly(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // nowhere left to report it
  }
}

/**
 * The iterator that a protected async generator returns: runs `begin` when the first item is requested, and then passes on
 * the consumer's requests one after another, so that it behaves like the generator itself.
 */
export function iterate(begin: () => Promise<unknown>): AsyncIterable<unknown> {
  return new ProtectedIterator(begin);
}

class ProtectedIterator implements AsyncIterableIterator<unknown, unknown, unknown> {
  /** The source of its items, once it has begun. */
  private source: Promise<Source> | undefined;

  /** @param running the source, if it has begun already */
  constructor(
    private readonly begin: () => Promise<unknown>,
    running?: Source,
  ) {
    this.source = running && Promise.resolve(running);
  }

  next(sent?: unknown): Promise<Item> {
    if (this.source !== undefined) return this.source.then((source) => source.next(sent));
    const begun = this.begin().then(sourceOf);
    this.source = begun.catch(() => new EndedSource());
    return begun.then((source) => source.next(sent));
  }

  return(value?: unknown): Promise<Item> {
    this.source ??= Promise.resolve(new EndedSource());
    return this.source.then((source) => source.return(value));
  }

  throw(error: unknown): Promise<Item> {
    this.source ??= Promise.resolve(new EndedSource());
    return this.source.then((source) => source.throw(error));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  get [Symbol.toStringTag](): string {
    return 'AsyncGenerator';
  }
}

interface Source {
  next(sent: unknown): Promise<Item>;
  return(value: unknown): Promise<Item>;
  throw(error: unknown): Promise<Item>;
}

function sourceOf(value: unknown): Source {
  return IteratorHead.is(value) ? new RunningSource(value) : replay(value);
}

/** Yields an answer in the generator's place: all of its items, or the single value. */
async function* replay(value: unknown): AsyncGenerator<unknown, unknown> {
  if (isIterable(value)) yield* value as AsyncIterable<unknown>;
  else yield value;
  return undefined;
}

/** Behaves like a generator that has ended. */
class EndedSource implements Source {
  next(): Promise<Item> {
    return Promise.resolve({ value: undefined, done: true });
  }

  async return(value: unknown): Promise<Item> {
    return { value: await value, done: true };
  }

  throw(error: unknown): Promise<Item> {
    return Promise.reject(error);
  }
}

/** The method's own generator, whose first item has arrived. An interruption of the call ends it for its consumer. */
class RunningSource implements Source {
  private first: Item | undefined;
  private ended: EndedSource | undefined = undefined;
  private latest: Promise<void> = Promise.resolve();
  private interrupted = false;

  constructor(
    private readonly head: IteratorHead,
    private readonly mapError = asItIs,
  ) {
    this.first = head.first;
  }

  next(sent: unknown): Promise<Item> {
    const { first, head, ended } = this;
    if (ended !== undefined) return ended.next();
    if (first === undefined) return this.watch(head.iterator.next(sent));
    this.first = undefined; // a generator ignores the value of the first `next()`
    return this.watch(Promise.resolve(first));
  }

  return(value: unknown): Promise<Item> {
    const { iterator } = this.head;
    return iterator.return === undefined
      ? this.end().return(value)
      : this.watch(iterator.return(value));
  }

  throw(error: unknown): Promise<Item> {
    const { iterator } = this.head;
    return iterator.throw === undefined
      ? this.end().throw(error)
      : this.watch(iterator.throw(error));
  }

  /** Answers requests one after another, like a generator. */
  private watch(item: Promise<Item>): Promise<Item> {
    const answer = this.latest.then(() => this.answer(item));
    this.latest = answer.then(nothing, nothing);
    item.catch(nothing); // handled when its turn has come
    return answer;
  }

  private async answer(item: Promise<Item>): Promise<Item> {
    const { call } = this.head;
    if (this.interrupted) return this.end().next();
    try {
      const given = await (call.interruptible ? call.interruptibly(item) : item);
      if (given.done) this.end();
      return given;
    } catch (error) {
      this.interrupted = call.interrupted;
      call.breakOff(error);
      const ended = this.end();
      // The answer of a handler: its reader has gone, but servers would log the error.
      if (error instanceof ClientGoneError && this.mapError !== asItIs) return ended.next();
      throw this.mapError(error, true);
    }
  }

  private end(): EndedSource {
    this.head.call.finish();
    return (this.ended ??= new EndedSource());
  }
}

const nothing = (): void => {};

function isIterable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}
