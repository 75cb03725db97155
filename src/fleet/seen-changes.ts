import type { FleetChange } from './fleet-change.js';

/** How many changes are remembered. */
const SEEN = 1_000;

/** The changes that have been seen, so that a reverted one does not come back from an instance that was away. */
export class SeenChanges {
  private readonly ids = new Set<string>();

  add(changes: readonly FleetChange[]): void {
    for (const { id } of changes) {
      this.ids.delete(id);
      this.ids.add(id);
      if (this.ids.size > SEEN) this.ids.delete(this.ids.keys().next().value!);
    }
  }

  has({ id }: FleetChange): boolean {
    return this.ids.has(id);
  }
}
