import { ResilienceError } from '../../common/errors.js';

/**
 * The call or an attempt has run out of time. 504, code `TIMEOUT`. Counts as a failure of the dependency.
 *
 * The `cause` of a total timeout is the error of the last attempt that has ended, if it failed.
 */
export class TimeoutError extends ResilienceError {
  constructor(
    policyName: string,
    /** The limit that was reached: that of an attempt or of the whole call. */
    readonly scope: 'attempt' | 'total',
    /** That limit, milliseconds. */
    readonly timeoutMs: number,
    cause?: unknown,
  ) {
    super({
      code: 'TIMEOUT',
      policy: 'timeout',
      policyName,
      status: 504,
      title: 'Gateway Timeout',
      message: `${policyName} took longer than ${timeoutMs} ms${scope === 'total' ? ' in total' : ''}`,
      cause,
    });
  }
}
