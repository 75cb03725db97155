import { Logger } from '@nestjs/common';
import { type QuietLogger, quietLogger } from '../common/quiet-logger.js';

/** The logger of the management API. If it throws, answers and changes are not affected. */
export function adminLogger(): QuietLogger {
  return quietLogger(new Logger('ResilienceAdmin'));
}
