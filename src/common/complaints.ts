import type { Clock } from './clock.js';
import { quietly } from './quietly.js';

const EVERY = 60_000;

interface Told {
  at: number;
  times: number;
}

/**
 * Reports recurring errors, such as a listener that throws at each event: the first at once, further ones at most once per
 * minute, with the number so far.
 */
export class Complaints {
  /** Made for the first complaint: there are very many instances, and most never complain. */
  private about: WeakMap<object, Told> | undefined = undefined;

  /** @param tell receives the message; may throw */
  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly tell: (message: string) => void,
  ) {}

  /** @param culprit the object that misbehaves, such as the listener */
  complain(culprit: object, message: () => string): void {
    const now = this.clock.now();
    this.about ??= new WeakMap();
    const told = this.about.get(culprit);
    if (told === undefined) {
      this.about.set(culprit, { at: now, times: 1 });
      return quietly(() => this.tell(message()));
    }
    told.times += 1;
    if (Math.abs(now - told.at) < EVERY) return;
    told.at = now;
    quietly(() => this.tell(`${message()} (${told.times} times so far)`));
  }
}
