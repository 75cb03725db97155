import type { Outcome } from '../common/outcomes/outcome.js';

/** Where the value that a call answered with came from: the method, a fallback, or a former result. */
export type AnswerSource = 'live' | 'fallback' | 'stale';

/** How one protected call went. */
export interface CallReport {
  /** `Class.method`. */
  readonly name: string;
  /** How often it was tried, the first and attempts that were turned away included. */
  readonly attempts: number;
  /** By the default rule, whatever the options of single policies say. */
  readonly outcome: Outcome;
  /** The origin of the value; `live` also when the call has failed. */
  readonly source: AnswerSource;
  /** How old a stale answer is, milliseconds. */
  readonly ageMs: number | undefined;
  /** From the beginning of the call to its end, milliseconds. */
  readonly durationMs: number;
}

/** Takes reports until whoever asked for them has read them. */
export class ReportSink {
  readonly calls: CallReport[] = [];
  private open = true;

  add(report: CallReport): void {
    if (this.open) this.calls.push(report);
  }

  close(): void {
    this.open = false;
  }
}
