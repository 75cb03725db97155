import { OngoingResult } from '../../common/outcome.js';
import type { Call } from '../../pipeline/call.js';
import { Stage } from '../../pipeline/stage.js';
import type { PolicySite } from '../policy.js';
import type { Bulkhead, Place } from './bulkhead.js';

/** Has a call hold a place of a bulkhead until its work has really ended. */
export class BulkheadStage extends Stage<Place> {
  constructor(
    private readonly bulkhead: Bulkhead,
    private readonly site: Pick<PolicySite, 'clock'>,
  ) {
    super();
  }

  override enter(call: Call): Place {
    return this.bulkhead.take(call.now());
  }

  override ready(_call: Call, place: Place): Promise<void> | undefined {
    return typeof place === 'number' ? undefined : place.ready;
  }

  override exit(call: Call, place: Place): void {
    const { abandoned } = call;
    const giveBackLater = (): void => this.bulkhead.giveBack(place, this.site.clock.now());
    if (abandoned !== undefined) {
      abandoned.then(giveBackLater, giveBackLater);
    } else if (call.value instanceof OngoingResult) {
      call.atEnd(giveBackLater);
    } else {
      this.bulkhead.giveBack(place, call.now());
    }
  }
}
