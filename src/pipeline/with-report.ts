import { requireFunction } from '../common/given.js';
import { type CallReport, ReportSink } from './call-report.js';
import { callScope } from './call-scope.js';

/**
 * Runs `work` and reports on the protected calls made inside it: the number of attempts, the outcome, and whether the answer
 * is live, from a fallback, or stale and how old.
 *
 * @returns the value of `work`, and the reports on the protected calls that have ended by then, in the order of their ends
 * @throws what `work` throws
 * @throws {TypeError} when `work` is not a function
 *
 * @example
 * const { value, calls } = await withReport(() => this.storage.getBooks());
 * if (calls[0]?.source === 'stale') response.setHeader('Age', Math.ceil(calls[0].ageMs! / 1000));
 */
export async function withReport<T>(
  work: () => T | Promise<T>,
): Promise<{ value: T; calls: readonly CallReport[] }> {
  requireFunction('withReport()', 'the work', work);
  const reports = new ReportSink();
  try {
    const value = await callScope.run({ ...callScope.getStore(), reports }, work);
    return { value, calls: reports.calls };
  } finally {
    reports.close();
  }
}
