import type { Call } from '../../pipeline/call.js';
import { Stage } from '../../pipeline/stage.js';
import type { PolicySite } from '../policy.js';
import type { Bulkhead, Place } from './bulkhead.js';

/** Has a call hold a place of a bulkhead until its work has really ended. */
export class BulkheadStage extends Stage<Place> {
  override readonly holdsWork = true;

  constructor(
    private readonly bulkhead: Bulkhead,
    private readonly site: Pick<PolicySite, 'clock'>,
  ) {
    super();
  }

  override enter(call: Call): Place {
    try {
      return this.bulkhead.take(call.now());
    } catch (error) {
      call.rejection = error;
      throw error;
    }
  }

  override ready(_call: Call, place: Place): Promise<void> | undefined {
    return typeof place === 'number' ? undefined : place.ready;
  }

  override exit(call: Call, place: Place): void {
    const goingOn = call.workLeft(this.level);
    if (call.ongoing) {
      call.atEnd(this.later(place));
    } else if (goingOn !== undefined) {
      const giveBack = this.later(place);
      goingOn.then(giveBack, giveBack);
    } else {
      this.bulkhead.giveBack(place, call.now());
      if (typeof place !== 'number') call.rejection = place.rejection;
    }
  }

  private later(place: Place): () => void {
    return () => this.bulkhead.giveBack(place, this.site.clock.now());
  }
}
