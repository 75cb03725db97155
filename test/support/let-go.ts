import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of the heap, after a collection of garbage. */
export function heapUsed(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** Refers to objects without keeping them alive. */
export class Remembered {
  readonly refs: WeakRef<object>[] = [];

  readonly add = <T extends object>(object: T): T => {
    this.refs.push(new WeakRef(object));
    return object;
  };

  /**
   * Collects garbage until no more than `few` are left: the last ones may still be on the stack, or in a cache of
   * the engine or of a framework.
   *
   * @returns how many are left
   */
  async left(few: number): Promise<number> {
    let count = this.refs.length;
    for (let round = 0; round < 8 && count > few; round++) {
      // A WeakRef that has been looked at keeps its target for the rest of the turn.
      await new Promise((resolve) => setTimeout(resolve, 3 * round));
      collect();
      count = this.refs.filter((ref) => ref.deref() !== undefined).length;
    }
    return count;
  }
}
