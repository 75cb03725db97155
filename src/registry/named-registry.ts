import { ResilienceConfigurationError } from '../common/errors.js';
import { readArgument } from '../common/given.js';
import { notOptions, printable, show } from '../common/printable.js';
import { takeTurns } from '../common/turns.js';
import { PartsByKey } from '../policies/keyed-parts.js';
import { readingsOf } from './keyed-name.js';
import type { PartStore } from './named-parts.js';

/** Changes options of a target while the application runs. @param where the place of the change in messages */
export type Configure = (target: string, patch: object, where: string) => void;

/** How many names a message lists at most. */
const LISTED = 20;

/** The parts declared under one name: a single one, or one per key. */
export interface PartsOfName<Shown> {
  readonly name: string;
  /** Whether there is one part per key, called `name[key]`. */
  readonly keyed: boolean;
  readonly size: number;
  /** A copy of the list, since keys come and go between turns. */
  readonly parts: () => Shown[];
}

/**
 * The parts of one kind, by name; parts by key are called `name[key]`.
 *
 * `Part` is the part itself, `Shown` the object that users get for it.
 */
export abstract class NamedRegistry<
  Part extends { readonly name: string },
  Shown extends { readonly name: string } = Part,
>
  implements Iterable<Shown>, AsyncIterable<Shown>
{
  /** The word for such a part in messages. */
  protected abstract readonly what: string;
  protected abstract readonly kind: string;

  /** @internal */
  constructor(
    protected readonly store: PartStore,
    private readonly configure: Configure,
  ) {}

  protected abstract show(part: Part): Shown;

  /** The number of parts, those by key included. */
  get size(): number {
    let size = 0;
    for (const each of this.byName()) size += each.size;
    return size;
  }

  /** All parts, at once. For many parts use `for await`, which lets other work run in between. */
  [Symbol.iterator](): IterableIterator<Shown> {
    return this.listed(true);
  }

  /**
   * All parts, as by iterating the registry, or only those that are not by key.
   *
   * @param options.keys whether parts by key are listed too. Default: true
   * @throws {TypeError} when an option is wrong
   */
  list(options: { readonly keys?: boolean } = {}): IterableIterator<Shown> {
    const keys = readArgument('list()', options, '{ keys }', (read) => read.boolean('keys'));
    return this.listed(keys ?? true);
  }

  private *listed(keys: boolean): IterableIterator<Shown> {
    for (const { keyed, parts } of this.byName()) if (keys || !keyed) yield* parts();
  }

  /** @internal The parts of each declared name. */
  *byName(): IterableIterator<PartsOfName<Shown>> {
    for (const part of this.declared()) {
      const { name } = part;
      if (part instanceof PartsByKey) {
        const parts = (): Shown[] => Array.from(part.values(), (each) => this.show(each));
        yield { name, keyed: true, size: part.size, parts };
      } else yield { name, keyed: false, size: 1, parts: () => [this.show(part)] };
    }
  }

  /**
   * @internal Calls `listener` with each part by key that was removed to make room for another key, before its counts are lost.
   *
   * @returns a function that ends this
   */
  onGone(listener: (part: Shown) => void): () => void {
    return this.store.onGone(this.kind, (part) => listener(this.show(part as Part)));
  }

  /**
   * All parts, in turns: the loop body blocks the event loop for about 10 ms at a time.
   *
   * @example
   * for await (const breaker of registry) report(breaker.snapshot());
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Shown> {
    return takeTurns(this);
  }

  /** The part of that name. @throws {Error} when there is none; the message lists up to 20 known names */
  get(name: string): Shown {
    const part = this.find(name);
    if (part === undefined) throw this.unknown(name);
    return part;
  }

  /** Whether there is a part of that name. */
  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  /** The names of all parts. */
  names(): string[] {
    return Array.from(this, ({ name }) => name);
  }

  /** Takes the same time for any number of parts. */
  private find(name: string): Shown | undefined {
    if (typeof name !== 'string') return undefined;
    const part = this.partCalled(name);
    if (part !== undefined && !(part instanceof PartsByKey)) return this.show(part);
    const keyed = this.keyedPartOf(name);
    return keyed && this.show(keyed.part);
  }

  protected partCalled(name: string): Part | PartsByKey<Part> | undefined {
    return this.store.find(this.kind, name);
  }

  /** The part called `name[key]`, and its name without the key. */
  protected keyedPartOf(
    fullName: string,
  ): { readonly name: string; readonly part: Part } | undefined {
    for (const [name, key] of readingsOf(fullName)) {
      const parts = this.partCalled(name);
      const part = parts instanceof PartsByKey ? parts.find(key) : undefined;
      if (part !== undefined) return { name, part };
    }
    return undefined;
  }

  /** Changes the options of a part; of those by key, all at once. */
  protected change(name: string, change: object): void {
    if (this.partCalled(name) === undefined) {
      const keyed = typeof name === 'string' ? this.keyedPartOf(name) : undefined;
      if (keyed === undefined) throw this.unknown(name);
      throw new Error(
        `there is no ${this.what} "${printable(name)}" to reconfigure: it is one key of "${keyed.name}"; use that name, for all keys`,
      );
    }
    const where = `reconfigure("${printable(name)}")`;
    if (change === undefined) {
      throw new ResilienceConfigurationError([`${where}: ${notOptions(change)}`]);
    }
    this.configure(name, { [this.kind]: change }, where);
  }

  private declared(): IterableIterator<Part | PartsByKey<Part>> {
    return this.store.ofKind(this.kind);
  }

  protected unknown(name: string): Error {
    const known: string[] = [];
    for (const part of this) {
      if (known.push(`"${printable(part.name)}"`) === LISTED) break;
    }
    const more = this.size - known.length;
    const list = `${known.join(', ') || 'none'}${more > 0 ? ` and ${more} more` : ''}`;
    const shown = typeof name === 'string' ? `"${printable(name)}"` : show(name);
    return new Error(`there is no ${this.what} ${shown}; there are ${list}`);
  }
}
