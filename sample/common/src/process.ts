import { ConfigurationError } from './env.js';
import type { JsonLogger } from './json-logger.js';

/** Runs the start of a process; if it fails, says why in one line and ends with exit code 1. */
export async function start(logger: JsonLogger, run: () => Promise<void>): Promise<void> {
  endWithParent();
  try {
    await run();
  } catch (error) {
    const fields =
      error instanceof ConfigurationError
        ? { message: 'wrong configuration', problems: error.problems }
        : { message: error instanceof Error ? error.message : String(error) };
    logger.event('error', 'start-failed', fields);
    process.exit(1);
  }
}

/**
 * `npm run sample` starts each process with an IPC channel. It closes when the parent is gone, however
 * it went, so nothing is left behind even if the parent was killed.
 */
function endWithParent(): void {
  if (process.connected) {
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    process.channel?.unref();
  }
}
