import type { SubjectPlan } from './plan.js';

/** The end of one call, and all allowed ends. */
export class CallRecord {
  runs = 0;
  /** How often its caller was notified of the end. */
  settled = 0;
  outcome:
    { readonly value?: unknown; readonly error?: unknown; readonly left?: boolean } | undefined =
    undefined;
  /** Errors of its own runs and fallbacks, and reasons for which it was stopped. */
  readonly errors: unknown[] = [];
  /** Results of its own runs and fallbacks. */
  readonly results = new Set<unknown>();
  readonly signals: AbortSignal[] = [];

  constructor(
    readonly id: number,
    readonly subject: SubjectPlan,
    readonly key: string,
    readonly app: number,
    readonly instance: number,
    readonly depth: number,
    /** This and the number of a run alone decide its behaviour. */
    readonly seed: number,
  ) {}

  /** Remembers an error, and throws it. */
  throw(error: unknown): never {
    this.errors.push(error);
    throw error;
  }

  settle(outcome: NonNullable<CallRecord['outcome']>): void {
    this.settled += 1;
    this.outcome ??= outcome;
  }
}

/** The answer of a run. */
export interface Answer {
  readonly id: number;
  readonly s: number;
  readonly k: string;
  readonly app: number;
  readonly inst: number;
  readonly bad?: boolean;
}

export function answerOf({ id, subject, key, app, instance }: CallRecord, bad = false): Answer {
  return { id, s: subject.index, k: key, app, inst: instance, ...(bad && { bad }) };
}
