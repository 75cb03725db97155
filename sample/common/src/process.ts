import { ConfigurationError } from './env.js';
import type { JsonLogger } from './json-logger.js';

/** The app could not start: says why in one line and ends the process with exit code 1. */
export function exitWith(error: unknown, logger: JsonLogger): never {
  const fields =
    error instanceof ConfigurationError
      ? { message: 'wrong configuration', problems: error.problems }
      : { message: error instanceof Error ? error.message : String(error) };
  logger.event('error', 'start-failed', fields);
  process.exit(1);
}

/**
 * `npm run sample` starts each process with an IPC channel. It closes when the parent is gone, however
 * it went, so nothing is left behind even if the parent was killed.
 */
export function stopWithParent(): void {
  if (process.connected) {
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    process.channel?.unref();
  }
}
