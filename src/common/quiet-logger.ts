import type { LoggerService } from '@nestjs/common';
import { quietly } from './quietly.js';
import { swallow } from './outcomes/look.js';

/** The logger of the library. */
export type QuietLogger = Readonly<
  Record<'log' | 'warn' | 'error' | 'debug', (...message: unknown[]) => void>
>;

/** The logger, but without errors if it throws or its promise rejects: there is nowhere left to report them. */
export function quietLogger(logger: LoggerService): QuietLogger {
  const write =
    (level: keyof QuietLogger) =>
    (...message: unknown[]): void =>
      quietly(() => swallow(logger[level]?.(...(message as [unknown]))));
  return { log: write('log'), warn: write('warn'), error: write('error'), debug: write('debug') };
}
