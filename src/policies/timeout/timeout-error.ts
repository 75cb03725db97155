import { ResilienceError } from '../../common/errors.js';

/** The call or an attempt has run out of time. 504, code `TIMEOUT`. Counts as a failure of the dependency. */
export class TimeoutError extends ResilienceError {
  constructor(
    policyName: string,
    /** Whether one attempt or the whole call was too slow. */
    readonly scope: 'attempt' | 'total',
    /** The limit, milliseconds. */
    readonly timeoutMs: number,
  ) {
    super({
      code: 'TIMEOUT',
      policy: 'timeout',
      policyName,
      status: 504,
      title: 'Gateway Timeout',
      message: `${policyName} took longer than ${timeoutMs} ms${scope === 'total' ? ' in total' : ''}`,
    });
  }
}
