import { type CallReport, ReportSink } from './call-report.js';
import { callScope } from './call-scope.js';

/**
 * Runs `work` and reports on the protected calls made inside of it: how often each was tried, and whether its
 * answer is live, from a fallback, or stale and how old.
 *
 * @returns the value of `work` and a report for each protected call that has ended by then, in that order
 * @throws what `work` throws
 *
 * @example
 * const { value, calls } = await withReport(() => this.storage.getBooks());
 * if (calls[0]?.source === 'stale') response.setHeader('Age', Math.ceil(calls[0].ageMs! / 1000));
 */
export async function withReport<T>(
  work: () => T | Promise<T>,
): Promise<{ value: T; calls: readonly CallReport[] }> {
  const reports = new ReportSink();
  try {
    const value = await callScope.run({ ...callScope.getStore(), reports }, work);
    return { value, calls: reports.calls };
  } finally {
    reports.close();
  }
}
