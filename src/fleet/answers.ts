import { show } from '../common/printable.js';

/** What a store has answered, if it is a list: a store of somebody else may answer anything. */
export function listOf<T>(answer: readonly T[], step: string): readonly T[] {
  if (Array.isArray(answer)) return answer as readonly T[];
  throw new TypeError(`${step} gave ${show(answer)} instead of a list`);
}

/** The same for a count. */
export function countOf(answer: number, step: string): number {
  if (typeof answer === 'number' && answer >= 0) return answer;
  throw new TypeError(`${step} gave ${show(answer)} instead of a number`);
}
