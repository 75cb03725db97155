import { look, lookByCall } from './outcomes/look.js';

/** What is done to tell somebody, such as to write to a logger: that it throws changes nothing. */
export function quietly(tell: () => unknown): void {
  try {
    tell();
  } catch {
    // nobody is left who could be told
  }
}

/** An asynchronous function where none may be: its promise may reject. */
export function swallow(value: unknown): void {
  if (isThenable(value)) lookByCall(value, 'then', undefined, () => {});
}

/** Also a promise of another realm. */
export function isThenable(value: unknown): boolean {
  return typeof look(value, 'then') === 'function';
}
