import type { Call } from '../../pipeline/call.js';
import { type Holding, isInside } from '../../pipeline/holding.js';
import { Stage } from '../../pipeline/stage.js';
import type { PolicySite } from '../policy.js';
import type { AnyPlace, Places } from './any-bulkhead.js';

/** Makes each call hold a place in a bulkhead until its work has really ended. */
export class BulkheadStage extends Stage<AnyPlace> {
  override readonly holdsWork = true;

  constructor(
    private readonly bulkhead: Places,
    private readonly site: Pick<PolicySite, 'clock'>,
  ) {
    super();
  }

  override enter(call: Call): AnyPlace {
    return this.bulkhead.take(call.now());
  }

  override ready(_call: Call, place: AnyPlace): Promise<void> | undefined {
    return typeof place === 'number' ? undefined : place.ready;
  }

  override exit(call: Call, place: AnyPlace): void {
    if (call.streaming || call.unfinishedWork(this.level) !== undefined) {
      const { bulkhead, site } = this;
      atEndOfWork(call, this.level, () => bulkhead.giveBack(place, site.clock.now()));
    } else {
      this.bulkhead.giveBack(place, call.now());
    }
  }
}

/** A place in one of several bulkheads, or in one that is `reentrant`. */
interface Held {
  readonly bulkhead: Places;
  readonly place: AnyPlace;
  /** Shows the place to the calls inside this one. */
  readonly holding: Holding | undefined;
}

/**
 * The same for a bulkhead per key, or for one that is `reentrant`: there, a call made inside a call that holds a place
 * needs none.
 */
export class FlexibleBulkheadStage extends Stage<Held> {
  override readonly holdsWork = true;

  /** @param find returns the bulkhead for a call; `undefined` when there is no room for its key, so that it needs no place */
  constructor(
    private readonly find: (call: Call) => Places | undefined,
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
    if (holding !== undefined) call.holding = holding.outer; // the call goes on outside the bulkhead
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

/** Calls `giveBack` at the end of work that goes on after the call: a stream, or abandoned work. */
function atEndOfWork(call: Call, level: number, giveBack: () => void): void {
  if (call.streaming) call.atEnd(giveBack);
  else call.unfinishedWork(level)?.then(giveBack, giveBack);
}
