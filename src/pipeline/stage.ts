import type { Call } from './call.js';

/** Returned by a stage to run everything inside it once more. */
export const AGAIN = Symbol('again');

/** The result of {@link Stage.react}: run again, or continue outwards with the call's current outcome. */
export type Reaction = typeof AGAIN | void;

/**
 * A policy at work in a pipeline. A stage lives as long as its pipeline and holds no state of single calls: the state that
 * it needs for a call is the result of {@link enter}.
 *
 * Four moments, in this order: `enter` and {@link ready} on the way in, `exit` and `react` on the way out. Each `enter`
 * that returned is followed by `exit`, whatever happens in between. Nothing else is guaranteed, so `exit` has to give back
 * what `enter` has taken. A stage that returns {@link AGAIN} stays entered: `exit` and `react` follow each run of the
 * stages inside it.
 */
export abstract class Stage<Held = unknown> {
  /** Whether it may stop a call before its work ends, by `Call.interrupt()`. */
  readonly interrupts: boolean = false;

  /** Whether it keeps results, and has to know whether they are live. */
  readonly keepsResults: boolean = false;

  /** Whether it has to know when abandoned work really ends: `Call.unfinishedWork()`. */
  readonly holdsWork: boolean = false;

  /** Its position in the pipeline, 0 is outermost; set by the pipeline. */
  level = -1;

  /** Called when a change of options has replaced it: only running calls still use it. */
  retire?(): void;

  /** Called before the stages inside it. Throws to reject the call. */
  enter(_call: Call): Held | undefined {
    return undefined;
  }

  /** May make the call wait after `enter`, for a place in a bulkhead for example. Rejects to reject the call. */
  ready?(call: Call, held: Held): Promise<void> | undefined;

  /** Called when everything inside has ended, successfully or not, or has been abandoned. Must not throw. */
  exit(_call: Call, _held: Held): void {}

  /**
   * Called after `exit`, unless the call is being abandoned: may set another outcome on the call, at once or later, or ask
   * for another run of the stages inside it. An error that it throws or rejects with becomes the call's error.
   */
  react(_call: Call, _held: Held): Promise<Reaction> | void {}
}
