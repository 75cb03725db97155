import { setImmediate } from 'node:timers'; // test frameworks replace the global one
import { outsideOfCalls } from '../common/async-context.js';
import { quietly } from '../common/quietly.js';

/** A call that wants to know when its client goes. */
interface Watching {
  watchClient(): void;
}

let begun: Watching[] = [];

/**
 * Lets a call listen to its client once the event loop turns: a disconnect cannot be noticed earlier, and many
 * calls have ended by then. One turn for all calls that begin in it.
 */
export function watchLater(call: Watching): void {
  if (begun.push(call) === 1) outsideOfCalls(() => setImmediate(watchAll));
}

function watchAll(): void {
  const calls = begun;
  begun = [];
  for (const call of calls) quietly(() => call.watchClient());
}
