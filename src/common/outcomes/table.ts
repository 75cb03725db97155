import type { Outcome } from './outcome.js';

/** Identifies an error or a group of errors: a code, a class of codes, a name. */
export type ErrorKey = string | number;

/** The meaning of some errors. */
export interface OutcomeRow {
  readonly keys: readonly ErrorKey[];
  readonly outcome: Outcome;
  readonly meaning: string;
}

/** The meanings of the errors of one client or standard. The docs show these tables. */
export interface OutcomeTable {
  /** The client or standard that the errors are from. */
  readonly client: string;
  /** How they are recognized, for the docs. */
  readonly recognized: string;
  /** Where the codes and their meanings are documented. */
  readonly source: string;
  /** The keys of an error, the most specific first; none when it is not from this client. Never throws. */
  readonly keysOf: (error: unknown) => readonly ErrorKey[];
  readonly rows: readonly OutcomeRow[];
}

/**
 * Compiles tables that recognize errors in the same way to one function: the outcome of an error, or `undefined` when no
 * row has one of its keys.
 */
export function lookUpIn(
  tables: readonly [OutcomeTable, ...OutcomeTable[]],
): (error: unknown) => Outcome | undefined {
  const { keysOf } = tables[0];
  const outcomes = new Map<ErrorKey, Outcome>();
  for (const { keys, outcome } of tables.flatMap(({ rows }) => rows)) {
    for (const key of keys) outcomes.set(key, outcome);
  }
  return (error) => {
    for (const key of keysOf(error)) {
      const outcome = outcomes.get(key);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  };
}
