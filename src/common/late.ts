/**
 * Node's timers are seldom later than this, milliseconds. What is later has been kept by a blocked event loop or a
 * suspended process, which is not the dependency's fault.
 */
const LATE = 10;

/**
 * So many turns of the event loop in which nothing settles show that no answer has come meanwhile: one to read the
 * sockets, and more for what an HTTP client makes of that.
 */
export const QUIET_TURNS = 5;

/** Whether what was due at `at` is looked at too late to be judged at once. */
export function isLate(at: number, now: number): boolean {
  return now - at > LATE;
}
