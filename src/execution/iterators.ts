import { StreamResult } from '../common/outcomes/stream-result.js';
import type { Call } from '../pipeline/call.js';

type Item = IteratorResult<unknown, unknown>;

/** An async iterator that has given its first item, which makes the attempt a success. */
class IteratorHead extends StreamResult {
  readonly #brand = true;

  /** As `instanceof`, which a result that is a proxy may have throw. */
  static is(value: unknown): value is IteratorHead {
    return typeof value === 'object' && value !== null && #brand in value;
  }

  constructor(
    readonly iterator: AsyncIterator<unknown>,
    readonly first: Item,
    readonly call: Call,
  ) {
    super();
  }

  /** A stream that goes on is not a result that a cache could keep. */
  toJSON(): undefined {}
}

/** Asks for the first item. */
export async function firstItemOf(source: AsyncIterable<unknown>, call: Call): Promise<unknown> {
  const iterator = source[Symbol.asyncIterator]();
  let givenUp = false;
  call.onInterrupt = () => {
    givenUp = true;
    void endQuietly(iterator);
  };
  const first = await iterator.next();
  if (givenUp) return undefined; // the call goes on with another attempt, or has ended
  // Whoever has the first item may never ask for another.
  call.onInterrupt = () => void endQuietly(iterator).then(() => call.finish());
  return new IteratorHead(iterator, first, call);
}

async function endQuietly(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // nobody is left who could be told
  }
}

/**
 * The iterator that a protected async generator returns: runs `begin` when the first item is asked for, and then passes on what
 * its consumer asks for, one request after another, so that it behaves as the generator itself does.
 */
export function iterate(begin: () => Promise<unknown>): AsyncIterable<unknown> {
  return new ProtectedIterator(begin);
}

class ProtectedIterator implements AsyncIterableIterator<unknown, unknown, unknown> {
  /** The iterator behind it, once it has begun. */
  private source: Promise<Source> | undefined = undefined;

  constructor(private readonly begin: () => Promise<unknown>) {}

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

/** An answer in the generator's place: all of its items, or the single value. */
async function* replay(value: unknown): AsyncGenerator<unknown, unknown> {
  if (isIterable(value)) yield* value as AsyncIterable<unknown>;
  else yield value;
  return undefined;
}

/** As a generator that has ended. */
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

  constructor(private readonly head: IteratorHead) {
    this.first = head.first;
  }

  next(sent: unknown): Promise<Item> {
    const { first, head, ended } = this;
    if (ended !== undefined) return ended.next();
    if (first === undefined) return this.watch(head.iterator.next(sent));
    this.first = undefined; // what begins the iteration is not seen by a generator
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

  /** Requests are answered one after another, as a generator does. */
  private watch(item: Promise<Item>): Promise<Item> {
    const answer = this.latest.then(() => this.answer(item));
    this.latest = answer.then(nothing, nothing);
    item.catch(nothing); // looked at when its turn has come
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
      this.end();
      throw error;
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
