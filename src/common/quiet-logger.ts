import type { LoggerService } from '@nestjs/common';

/** Where the library writes. */
export type QuietLogger = Required<Pick<LoggerService, 'log' | 'warn' | 'debug'>>;

/** A logger that throws, or whose promise rejects, changes nothing: nobody is left who could be told. */
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
