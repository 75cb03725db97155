import { ConfigurationError } from './env.js';
import type { JsonLogger } from './json-logger.js';

/** Reports in one line why the app could not start, and ends the process with exit code 1. */
export function exitWith(error: unknown, logger: JsonLogger): never {
  const fields =
    error instanceof ConfigurationError
      ? { message: 'wrong configuration', problems: error.problems }
      : { message: error instanceof Error ? error.message : String(error) };
  logger.event('error', 'start-failed', fields);
  process.exit(1);
}

/**
 * `npm run sample` starts each process with an IPC channel. The channel closes when the parent ends, however
 * it ends, so no process is left behind even if the parent was killed.
 */
export function stopWithParent(): void {
  if (process.connected) {
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    process.channel?.unref();
  }
}
