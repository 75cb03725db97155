/** A timer that has been set. */
export interface Scheduled {
  readonly at: number;
  readonly callback: () => void;
  /** How many were set before it: timers that fall due at the same time run in the order in which they were set. */
  readonly number: number;
  /** Its index in the heap; -1 when it has left the heap. */
  place: number;
}

/** Timers ordered by due time: a binary heap, so each operation is O(log n). */
export class TimerHeap {
  private readonly heap: Scheduled[] = [];
  private added = 0;

  get size(): number {
    return this.heap.length;
  }

  add(at: number, callback: () => void): Scheduled {
    const timer = { at, callback, number: this.added++, place: this.heap.length };
    this.heap.push(timer);
    this.rise(timer);
    return timer;
  }

  remove(timer: Scheduled): void {
    const { place } = timer;
    if (place < 0) return;
    timer.place = -1;
    const last = this.heap.pop()!;
    if (last === timer) return;
    this.put(last, place);
    this.rise(last);
    this.sink(last);
  }

  /** Removes and returns the first timer that falls due by `until`. */
  takeDue(until: number): Scheduled | undefined {
    const [first] = this.heap;
    if (first === undefined || first.at > until) return undefined;
    this.remove(first);
    return first;
  }

  private rise(timer: Scheduled): void {
    while (timer.place > 0) {
      const place = (timer.place - 1) >> 1;
      const parent = this.heap[place]!;
      if (!isBefore(timer, parent)) return;
      this.put(parent, timer.place);
      this.put(timer, place);
    }
  }

  private sink(timer: Scheduled): void {
    for (;;) {
      const left = 2 * timer.place + 1;
      const [a, b] = [this.heap[left], this.heap[left + 1]];
      const child = a !== undefined && b !== undefined && isBefore(b, a) ? b : a;
      if (child === undefined || !isBefore(child, timer)) return;
      const { place } = child;
      this.put(child, timer.place);
      this.put(timer, place);
    }
  }

  private put(timer: Scheduled, place: number): void {
    timer.place = place;
    this.heap[place] = timer;
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.number < b.number);
}
