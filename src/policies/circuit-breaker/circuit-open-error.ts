import { ResilienceError } from '../../common/errors.js';
import { printable } from '../../common/printable.js';

/** The circuit is open or forced open, or half-open with all its probes running. 503, code `CIRCUIT_OPEN`. */
export class CircuitOpenError extends ResilienceError {
  constructor(breakerName: string, retryAfterMs: number | undefined) {
    super({
      code: 'CIRCUIT_OPEN',
      policy: 'circuitBreaker',
      policyName: breakerName,
      status: 503,
      title: 'Service Unavailable',
      message: `circuit "${printable(breakerName)}" is open`,
      retryAfterMs,
    });
  }
}
