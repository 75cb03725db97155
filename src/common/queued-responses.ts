import { look } from './outcomes/look.js';
import { quietly } from './quietly.js';

// A client may send requests without waiting for answers (HTTP/1.1 pipelining). The responses wait for their turn, each without a
// socket, and Node does not close those that still wait when the client goes.

/** The part of Node's `ServerResponse` that is used here. */
interface QueuedResponse {
  once(event: 'close', listener: () => void): unknown;
}

/** The part of Node's `Socket` that is used here. */
interface Connection {
  once(event: 'close', listener: () => void): unknown;
}

/** By the connection, which has one listener for all. */
const waiting = new WeakMap<object, Set<() => void>>();

/** The connection of a response that waits for its turn; `undefined` for any other. */
export function awaitedConnectionOf(response: unknown): Connection | undefined {
  if (look(response, 'socket') !== null) return undefined;
  const socket = look(look(response, 'req'), 'socket');
  return typeof look(socket, 'once') === 'function' ? (socket as Connection) : undefined;
}

/** Whether the client of a response has gone before its turn. */
export function isCutOff(response: unknown): boolean {
  return look(awaitedConnectionOf(response), 'destroyed') === true;
}

/**
 * Calls `listener` when the client of a response that waits for its turn goes, perhaps when it has had its turn, so once more
 * than its `close`. Does nothing for any other response.
 */
export function whenCutOff(response: QueuedResponse, listener: () => void): void {
  const connection = awaitedConnectionOf(response);
  if (connection === undefined) return;
  const listeners = waiting.get(connection) ?? listenersTo(connection);
  listeners.add(listener);
  response.once('close', () => listeners.delete(listener));
}

function listenersTo(connection: Connection): Set<() => void> {
  const listeners = new Set<() => void>();
  waiting.set(connection, listeners);
  connection.once('close', () => {
    for (const listener of listeners) quietly(listener);
  });
  return listeners;
}
