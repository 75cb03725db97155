/** The number of entries from which collected ones are searched for. */
const FEW = 64;

/** A list that does not keep its objects alive: collected ones leave it. */
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
