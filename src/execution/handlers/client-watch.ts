import { setImmediate } from 'node:timers'; // test frameworks replace the global one
import { outsideOfCalls } from '../../common/async-context.js';
import { quietly } from '../../common/quietly.js';

/** A call that needs to know when its client disconnects. */
interface Watching {
  /** Its place among those that wait for the turn. */
  place: number;
  watchClient(): void;
}

let begun: (Watching | undefined)[] = [];

/**
 * Lets a call listen to its client from the next turn of the event loop on: a disconnect cannot be noticed earlier, and many
 * calls have ended by then. All calls that begin in one turn share the next one.
 */
export function watchLater(call: Watching): void {
  call.place = begun.push(call) - 1;
  if (call.place === 0) outsideOfCalls(() => setImmediate(watchAll));
}

/** Call it when a call has ended. Otherwise all calls of a turn would stay in memory until its end. */
export function watchNoMore(call: Watching): void {
  if (begun[call.place] === call) begun[call.place] = undefined;
}

function watchAll(): void {
  const calls = begun;
  begun = [];
  for (const call of calls) {
    if (call !== undefined) quietly(() => call.watchClient());
  }
}
