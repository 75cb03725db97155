import { look, lookByCall } from './outcomes/look.js';

/** Calls a logger or a listener of the user's; an error that it throws changes nothing. */
export function quietly(run: () => unknown): void {
  try {
    run();
  } catch {
    // nowhere left to report it
  }
}

/** Keeps a promise that was returned where none belongs from becoming an unhandled rejection. */
export function swallow(value: unknown): void {
  if (isThenable(value)) lookByCall(value, 'then', undefined, () => {});
}

/** Also true for a promise of another realm. */
export function isThenable(value: unknown): boolean {
  return typeof look(value, 'then') === 'function';
}
