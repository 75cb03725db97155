import type { AnswerSource } from '../telemetry/call-events.js';
import type { Outcome } from '../common/outcomes/outcome.js';

/** The report on one protected call. */
export interface CallReport {
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The number of attempts, the first and rejected ones included. */
  readonly attempts: number;
  /** The outcome by the default rule, regardless of the options of single policies. */
  readonly outcome: Outcome;
  /** The origin of the result; `live` also when the call has failed. */
  readonly source: AnswerSource;
  /** The age of a stale answer, milliseconds; `undefined` for other results. */
  readonly ageMs: number | undefined;
  /** Duration of the whole call, including all attempts and waits, milliseconds. */
  readonly durationMs: number;
}

/** Collects reports until `withReport()` has returned them. */
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
