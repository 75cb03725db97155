import { isResilienceError } from '../common/errors.js';
import { look } from '../common/outcomes/look.js';

/** The `error.type` of OpenTelemetry: a code of ours, such as `CIRCUIT_OPEN`, or the name of the error's class. */
export function errorTypeOf(error: unknown): string {
  if (isResilienceError(error)) return error.code;
  const name = look(error, 'name');
  return typeof name === 'string' && name !== '' ? name : '_OTHER';
}
