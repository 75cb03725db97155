/** An item of a {@link LinkedList}, in one list at a time. Only the list sets these. */
export interface Linked<T> {
  previous: T | undefined;
  next: T | undefined;
}

/**
 * A doubly linked list whose items hold the links: adding at the end and removing anywhere are O(1) and allocate nothing.
 * The `previous` of the first item is the last one, so that the list object is written to only when its first item changes:
 * writing a reference to a young object into an old one is expensive for the garbage collector.
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
