import { Logger } from '@nestjs/common';
import { type QuietLogger, quietLogger } from '../common/quiet-logger.js';

/** Where the management API writes. A logger that throws changes no answer, and undoes no change. */
export function adminLogger(): QuietLogger {
  return quietLogger(new Logger('ResilienceAdmin'));
}
