import type { Call } from './call.js';

/** Returned by a stage to have everything inside of it run once more. */
export const AGAIN = Symbol('again');

/** Ends the wait of {@link Stage.react}: run again, or go on outwards with the call's outcome as it now is. */
export type Reaction = typeof AGAIN | void;

/**
 * A policy at work in a pipeline. A stage lives as long as its pipeline and holds no state of a call: what it
 * must remember of one is what {@link enter} returns.
 *
 * Four moments, in this order: `enter` and {@link ready} on the way in, `exit` and `react` on the way out. Each `enter`
 * that returned is followed by `exit`, whatever happens between; nothing else is promised, so what `enter` takes, `exit`
 * gives back. A stage that asks for {@link AGAIN} stays entered: `exit` and `react` follow each run of what is inside it.
 */
export abstract class Stage<Held = unknown> {
  /** Whether it may stop a call before its work ends, by `Call.interrupt()`. */
  readonly interrupts: boolean = false;

  /** Whether it keeps results, and has to know whether they are live. */
  readonly keepsResults: boolean = false;

  /** Whether it has to know when work that was given up really ends: `Call.unfinishedWork()`. */
  readonly holdsWork: boolean = false;

  /** Its place in the pipeline, 0 is outermost; set by the pipeline. */
  level = -1;

  /** Before what is inside runs. Throws to turn the call away. */
  enter(_call: Call): Held | undefined {
    return undefined;
  }

  /** Lets the call wait between `enter` and what is inside: for a place, for a permit. Rejects to turn it away. */
  ready?(call: Call, held: Held): Promise<void> | undefined;

  /** After what was inside has ended, well or not, or has been given up. Must not throw. */
  exit(_call: Call, _held: Held): void {}

  /**
   * After `exit`, unless the call is being given up: may set another outcome on the call, at once or later, or
   * ask for another run of what is inside. A rejection becomes the call's error.
   */
  react(_call: Call, _held: Held): Promise<Reaction> | void {}
}
