import type { FleetChange } from './fleet-change.js';

/** So many changes are remembered. */
const SEEN = 1_000;

/** The changes that have been seen, so that one which was taken back does not come back from an instance that was away. */
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
