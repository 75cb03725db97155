/** An item of a {@link LinkedList}: in one list at a time, which alone sets these. */
export interface Linked<T> {
  previous: T | undefined;
  next: T | undefined;
}

/**
 * A doubly linked list of things that know their neighbours: adding at the end and removing anywhere are O(1), and make
 * no object. The first one's `previous` is the last one, so that a list of young things, which is old itself, is written
 * to only when its first one changes: such writes are dear.
 */
export class LinkedList<T extends Linked<T>> {
  private head: T | undefined = undefined;

  get first(): T | undefined {
    return this.head;
  }

  add(item: T): void {
    const { head } = this;
    if (head === undefined) {
      item.previous = item;
      this.head = item;
      return;
    }
    const last = head.previous!;
    item.previous = last;
    last.next = item;
    head.previous = item;
  }

  remove(item: T): void {
    const { head } = this;
    const { previous, next } = item;
    if (item === head) this.head = next;
    else previous!.next = next;
    if (next !== undefined) next.previous = previous;
    else if (item !== head) head!.previous = previous;
    item.previous = undefined;
    item.next = undefined;
  }
}
