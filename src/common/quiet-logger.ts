import type { LoggerService } from '@nestjs/common';

/** Where the library writes. */
export type QuietLogger = Required<Pick<LoggerService, 'log' | 'warn' | 'debug'>>;

/** The logger, but without errors if it throws or its promise rejects: there is nowhere left to report them. */
export function quietLogger(logger: LoggerService): QuietLogger {
  const write =
    (level: keyof QuietLogger) =>
    (...message: unknown[]): void => {
      try {
        const written: unknown = logger[level]?.(...(message as [unknown]));
        Promise.resolve(written).catch(() => {});
      } catch {
        // as above
      }
    };
  return { log: write('log'), warn: write('warn'), debug: write('debug') };
}
