/** Calls a logger or a listener of the user's; an error that it throws changes nothing. */
export function quietly(run: () => unknown): void {
  try {
    run();
  } catch {
    // nowhere left to report it
  }
}
