import { takeTurns } from '../common/turns.js';

/** How many names a message lists. */
const LISTED = 20;

/** Parts of one kind, by name. */
export abstract class NamedRegistry<T extends { readonly name: string }>
  implements Iterable<T>, AsyncIterable<T>
{
  /** What a part is called in messages. */
  protected abstract readonly what: string;

  /** How many there are. */
  abstract get size(): number;

  /** The part of that name; takes the same time however many there are. */
  protected abstract find(name: string): T | undefined;

  /** All at once. For many, use `for await`, which lets others work in between. */
  abstract [Symbol.iterator](): IterableIterator<T>;

  /**
   * All, in turns: what is done with them holds up the event loop for 10 ms at a time.
   *
   * @example
   * for await (const breaker of registry) report(breaker.snapshot());
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    return takeTurns(this);
  }

  /** @throws {Error} when there is none of that name; the message lists some of those that there are */
  get(name: string): T {
    const part = this.find(name);
    if (part === undefined) throw this.unknown(name);
    return part;
  }

  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  names(): string[] {
    return Array.from(this, ({ name }) => name);
  }

  protected unknown(name: string): Error {
    const known: string[] = [];
    for (const part of this) {
      if (known.push(`"${part.name}"`) === LISTED) break;
    }
    const more = this.size - known.length;
    const list = `${known.join(', ') || 'none'}${more > 0 ? ` and ${more} more` : ''}`;
    return new Error(`there is no ${this.what} "${name}"; there are ${list}`);
  }
}
