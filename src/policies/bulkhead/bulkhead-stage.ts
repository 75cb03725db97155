import type { Call } from '../../pipeline/call.js';
import { type Holding, isInside } from '../../pipeline/holding.js';
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
    return this.bulkhead.take(call.now());
  }

  override ready(_call: Call, place: Place): Promise<void> | undefined {
    return typeof place === 'number' ? undefined : place.ready;
  }

  override exit(call: Call, place: Place): void {
    if (call.streaming || call.unfinishedWork(this.level) !== undefined) {
      const { bulkhead, site } = this;
      atEndOfWork(call, this.level, () => bulkhead.giveBack(place, site.clock.now()));
    } else {
      this.bulkhead.giveBack(place, call.now());
    }
  }
}

/** A place of one of several bulkheads, or of one that can be entered again. */
interface Held {
  readonly bulkhead: Bulkhead;
  readonly place: Place;
  /** Makes the place known to the calls inside of this one. */
  readonly holding: Holding | undefined;
}

/**
 * The same with a bulkhead per key, or with one that is `reentrant`: a call that is made inside of one that holds a
 * place needs none.
 */
export class FlexibleBulkheadStage extends Stage<Held> {
  override readonly holdsWork = true;

  /** @param find the bulkhead for a call; `undefined` when it needs no place */
  constructor(
    private readonly find: (call: Call) => Bulkhead | undefined,
    private readonly site: Pick<PolicySite, 'clock'>,
  ) {
    super();
  }

  override enter(call: Call): Held | undefined {
    const bulkhead = this.find(call);
    if (bulkhead === undefined) return undefined;
    if (bulkhead.reentrant && isInside(bulkhead)) return undefined;
    const place = bulkhead.take(call.now());
    return { bulkhead, place, holding: bulkhead.reentrant ? call.hold(bulkhead) : undefined };
  }

  override ready(_call: Call, held: Held | undefined): Promise<void> | undefined {
    const place = held?.place ?? 0;
    return typeof place === 'number' ? undefined : place.ready;
  }

  override exit(call: Call, held: Held | undefined): void {
    if (held === undefined) return;
    const { bulkhead, place, holding } = held;
    if (holding !== undefined) call.holding = holding.outer; // what the call does next is not inside
    if (call.streaming || call.unfinishedWork(this.level) !== undefined) {
      atEndOfWork(call, this.level, () => {
        holding?.end();
        bulkhead.giveBack(place, this.site.clock.now());
      });
    } else {
      holding?.end();
      bulkhead.giveBack(place, call.now());
    }
  }
}

/** The work goes on, as a stream or because nobody waits for it any more. */
function atEndOfWork(call: Call, level: number, giveBack: () => void): void {
  if (call.streaming) call.atEnd(giveBack);
  else call.unfinishedWork(level)?.then(giveBack, giveBack);
}
