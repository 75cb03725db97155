import { quietly } from '../common/quietly.js';

/** Times differ by up to this share between instances, in both directions. */
export const JITTER = 0.2;

/** A time around `ms`: instances should not all do the same at the same moment. @param random may throw, or give anything */
export function jittered(ms: number, random: () => number): number {
  let drawn = 0.5;
  quietly(() => {
    drawn = random();
  });
  return ms * (1 + JITTER * (2 * (drawn >= 0 && drawn <= 1 ? drawn : 0.5) - 1));
}
