/** How many entries there are before those that are gone are looked for. */
const FEW = 64;

/** Objects that others keep: those that are collected leave the list. */
export class WeakList<T extends object> implements Iterable<T> {
  private references: WeakRef<T>[] = [];
  private sweepAt = FEW;

  add(object: T): void {
    if (this.references.length >= this.sweepAt) {
      this.references = this.references.filter((reference) => reference.deref() !== undefined);
      this.sweepAt = Math.max(FEW, this.references.length * 2);
    }
    this.references.push(new WeakRef(object));
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const reference of this.references) {
      const object = reference.deref();
      if (object !== undefined) yield object;
    }
  }
}
