import { ResilienceError } from '../../common/errors.js';

/**
 * The call or an attempt has run out of time. 504, code `TIMEOUT`. Counts as a failure of the dependency.
 *
 * The `cause` of a total timeout is the error of the last attempt that has ended, when it has failed.
 */
export class TimeoutError extends ResilienceError {
  constructor(
    policyName: string,
    /** Whether one attempt or the whole call was too slow. */
    readonly scope: 'attempt' | 'total',
    /** The limit, milliseconds. */
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
