/** Parts of one kind, by name. */
export abstract class NamedRegistry<T extends { readonly name: string }> implements Iterable<T> {
  /** What a part is called in messages. */
  protected abstract readonly what: string;

  abstract [Symbol.iterator](): IterableIterator<T>;

  /** @throws {Error} when there is none of that name; the message lists those that there are */
  get(name: string): T {
    for (const part of this) if (part.name === name) return part;
    throw this.unknown(name);
  }

  has(name: string): boolean {
    return this.names().includes(name);
  }

  names(): string[] {
    return Array.from(this, ({ name }) => name);
  }

  protected unknown(name: string): Error {
    const known =
      this.names()
        .map((each) => `"${each}"`)
        .join(', ') || 'none';
    return new Error(`there is no ${this.what} "${name}"; there are ${known}`);
  }
}
