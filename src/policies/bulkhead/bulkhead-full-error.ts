import { ResilienceError } from '../../common/errors.js';
import { printable } from '../../common/printable.js';

/** Why a bulkhead turns a call away. */
export type BulkheadFullReason =
  /** All places are taken, and so is the queue. */
  | 'full'
  /** It has waited as long as `maxWait`. */
  | 'max-wait'
  /** The application is closing: nobody waits any more. */
  | 'closing';

const MESSAGES: Readonly<Record<BulkheadFullReason, string>> = {
  full: 'is full',
  'max-wait': 'had no place in time',
  closing: 'has no place, and nobody waits any more: the application is closing',
};

/** The bulkhead has no place for the call. 503, code `BULKHEAD_FULL`. */
export class BulkheadFullError extends ResilienceError {
  constructor(
    bulkheadName: string,
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
