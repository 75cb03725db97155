import type { Clock } from './clock.js';
import { quietly } from './quietly.js';

const EVERY = 60_000;

interface Complaint {
  at: number;
  times: number;
}

/**
 * Reports recurring errors, such as a listener that throws at each event: the first at once, further ones at most once per
 * minute, with the number so far.
 */
export class Complaints {
  /** Made for the first complaint: there are very many instances, and most never complain. */
  private about: WeakMap<object, Complaint> | undefined = undefined;

  /** @param report receives the message; may throw */
  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly report: (message: string) => void,
  ) {}

  /** @param culprit the object that misbehaves, such as the listener */
  complain(culprit: object, message: () => string): void {
    const now = this.clock.now();
    this.about ??= new WeakMap();
    const former = this.about.get(culprit);
    if (former === undefined) {
      this.about.set(culprit, { at: now, times: 1 });
      return quietly(() => this.report(message()));
    }
    former.times += 1;
    if (Math.abs(now - former.at) < EVERY) return;
    former.at = now;
    quietly(() => this.report(`${message()} (${former.times} times so far)`));
  }
}
