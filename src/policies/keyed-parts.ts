/** How many parts are checked to find an idle one. */
const SEARCH = 20;

/**
 * Parts by key, at most `maxParts`. A new key replaces an idle part. If none is found, there is no part for the new key:
 * no part in use is thrown away, and no two keys share a part.
 *
 * The time of an operation does not depend on the number of keys: a hand goes around the parts and checks a few at a time
 * (the clock algorithm).
 */
export class KeyedParts<T> {
  private readonly parts = new Map<string, T>();
  private hand: MapIterator<[string, T]> | undefined = undefined;

  constructor(
    public maxParts: number,
    private readonly make: (key: string) => T,
    private readonly isIdle: (part: T) => boolean,
    /** Called whenever there is no part for a key. */
    private readonly onFull: (maxParts: number) => void,
    /** Called with each part that was removed to make room. */
    private readonly onGone: (part: T) => void = () => {},
  ) {}

  /** The part of a key, made now if the key is new; `undefined` when there is no room for it. */
  obtain(key: string): T | undefined {
    const known = this.parts.get(key);
    if (known !== undefined) return known;
    const hasRoom = this.parts.size < this.maxParts || this.makeRoom();
    // A listener of the parts that were checked may have asked for the same key.
    const meanwhile = this.parts.get(key);
    if (meanwhile !== undefined) return meanwhile;
    if (!hasRoom) {
      this.onFull(this.maxParts);
      return undefined;
    }
    const part = this.make(key);
    this.parts.set(key, part);
    return part;
  }

  find(key: string): T | undefined {
    return this.parts.get(key);
  }

  get size(): number {
    return this.parts.size;
  }

  values(): IterableIterator<T> {
    return this.parts.values();
  }

  private makeRoom(): boolean {
    for (let left = Math.min(SEARCH, this.parts.size); left > 0; left--) {
      let next = (this.hand ??= this.parts.entries()).next();
      if (next.done) next = (this.hand = this.parts.entries()).next();
      if (next.done) return false;
      const [key, part] = next.value;
      if (!this.isIdle(part) || this.parts.get(key) !== part) continue;
      this.parts.delete(key);
      this.onGone(part);
      // More than one may have to go after `maxParts` was lowered.
      if (this.parts.size < this.maxParts) return true;
    }
    return false;
  }
}

/** The parts that share a name, one per key; each is called `name[key]`. */
export abstract class PartsByKey<T> {
  abstract readonly name: string;
  /** Called with each part that was removed to make room for another key. */
  onGone: (part: T) => void = () => {};
  protected abstract readonly parts: KeyedParts<T>;

  /** The part of a key, if it has one. */
  find(key: string): T | undefined {
    return this.parts.find(key);
  }

  values(): IterableIterator<T> {
    return this.parts.values();
  }

  get size(): number {
    return this.parts.size;
  }
}
