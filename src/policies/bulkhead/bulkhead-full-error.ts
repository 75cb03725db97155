import { ResilienceError } from '../../common/errors.js';
import { printable } from '../../common/printable.js';

/** Why a bulkhead rejects a call. */
export type BulkheadFullReason =
  /** All places are taken, and the queue is full. */
  | 'full'
  /** The call has waited for `maxWait`. */
  | 'max-wait'
  /** All places are taken and the application is closing, so no call may wait. */
  | 'closing';

const MESSAGES: Readonly<Record<BulkheadFullReason, string>> = {
  full: 'is full',
  'max-wait': 'had no free place within maxWait',
  closing: 'is full, and no call may queue: the application is closing',
};

/** The bulkhead had no place for the call. 503, code `BULKHEAD_FULL`. */
export class BulkheadFullError extends ResilienceError {
  constructor(
    bulkheadName: string,
    /** Why the call was rejected. */
    readonly reason: BulkheadFullReason,
    retryAfterMs: number | undefined,
  ) {
    super({
      code: 'BULKHEAD_FULL',
      policy: 'bulkhead',
      policyName: bulkheadName,
      status: 503,
      title: 'Service Unavailable',
      message: `bulkhead "${printable(bulkheadName)}" ${MESSAGES[reason]}`,
      retryAfterMs,
    });
  }
}
