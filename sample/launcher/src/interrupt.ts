const ORPHAN_CHECK_MS = 500;

/** Calls `end` on Ctrl-C and the like. */
export function onInterrupt(end: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, end);
  }
  // The terminal or the pipe is gone.
  process.stdout.on('error', end);
  // A signal to npm alone ends npm and its shell, but does not reach this process.
  if (process.env['npm_lifecycle_event'] !== undefined) {
    const parent = process.ppid;
    const check = (): void => {
      if (process.ppid !== parent) {
        end();
      }
    };
    setInterval(check, ORPHAN_CHECK_MS).unref();
  }
}
