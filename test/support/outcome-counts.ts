import type { OutcomeCounts } from '../../src/telemetry/metrics/snapshot.js';

export interface Given extends Partial<Omit<OutcomeCounts, 'rejected' | 'fallback'>> {
  readonly rejected?: Partial<OutcomeCounts['rejected']>;
  readonly fallback?: Partial<OutcomeCounts['fallback']>;
}

/** Counts that are 0 unless given. */
export const counts = ({ rejected, fallback, ...given }: Given): OutcomeCounts => ({
  success: 0,
  failure: 0,
  timeout: 0,
  ignored: 0,
  ...given,
  rejected: { circuitOpen: 0, bulkheadFull: 0, other: 0, ...rejected },
  fallback: { success: 0, failure: 0, missing: 0, rejected: 0, ...fallback },
});
