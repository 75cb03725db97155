import { LinkedList } from '../../common/linked-list.js';
import type { Permit } from './permit.js';

/** Permits that expire after the same time, in the order in which they were issued. */
export class PermitQueue extends LinkedList<Permit> {
  constructor(
    readonly duration: number,
    /** The next queue, for another duration, some of whose permits are still running. */
    public other: PermitQueue | undefined,
  ) {
    super();
  }

  override add(permit: Permit): void {
    permit.queue = this;
    super.add(permit);
  }

  override remove(permit: Permit): void {
    permit.queue = undefined;
    super.remove(permit);
  }
}

/** When a permit expires; `Infinity` when it has no limit. */
export function expiryOf({ admittedAt, queue }: Permit): number {
  return queue === undefined ? Infinity : admittedAt + queue.duration;
}

/**
 * Permits by time of expiry: one queue per duration. There is more than one queue only while calls run that were admitted
 * under other options. Adding and removing are O(1).
 */
export class Leases {
  private newest: PermitQueue | undefined = undefined;

  add(permit: Permit, duration: number): void {
    const { newest } = this;
    (newest?.duration === duration ? newest : this.queueOf(duration)).add(permit);
  }

  /** The permit that expires first. */
  get first(): Permit | undefined {
    let first = this.newest?.first;
    for (let queue = this.newest?.other; queue !== undefined; queue = queue.other) {
      const permit = queue.first;
      if (permit === undefined) continue;
      if (first === undefined || expiryOf(permit) < expiryOf(first)) first = permit;
    }
    return first;
  }

  get nextExpiry(): number {
    const { first } = this;
    return first === undefined ? Infinity : expiryOf(first);
  }

  /** {@link nextExpiry}, or `Infinity` when that is after `limit`. */
  nextExpiryUpTo(limit: number): number {
    const { nextExpiry } = this;
    return nextExpiry > limit ? Infinity : nextExpiry;
  }

  *[Symbol.iterator](): Iterator<Permit> {
    for (let queue = this.newest; queue !== undefined; queue = queue.other) {
      for (let permit = queue.first; permit !== undefined; permit = permit.next) yield permit;
    }
  }

  /** The queue for a duration, which becomes the newest; drops queues that have run empty. */
  private queueOf(duration: number): PermitQueue {
    let found: PermitQueue | undefined = undefined;
    let others: PermitQueue | undefined = undefined;
    for (let queue = this.newest; queue !== undefined;) {
      const { other } = queue;
      if (queue.duration === duration) {
        found = queue;
      } else if (queue.first !== undefined) {
        queue.other = others;
        others = queue;
      }
      queue = other;
    }
    found ??= new PermitQueue(duration, undefined);
    found.other = others;
    this.newest = found;
    return found;
  }
}
