/**
 * Node's timers are seldom later than this, milliseconds. Longer delays come from a blocked event loop or a suspended
 * process, which is not the dependency's fault.
 */
export const LATE = 10;

/**
 * Once nothing has settled for this many turns of the event loop, no answer can still be waiting: one turn reads the
 * sockets, and the HTTP client needs more to process what was read.
 */
export const QUIET_TURNS = 5;

/** Whether `at` is so long past that something due then must not be judged at once. */
export function isLate(at: number, now: number): boolean {
  return now - at > LATE;
}
