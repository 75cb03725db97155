import type { LoggerService } from '@nestjs/common';

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
type Level = Exclude<(typeof LEVELS)[number], 'silent'>;

/** Writes one JSON object per line to stdout, each with the name of the app, for log collectors. */
export class JsonLogger implements LoggerService {
  private readonly threshold: number;

  constructor(
    private readonly app: string,
    level = process.env['LOG_LEVEL'] ?? 'info',
  ) {
    const known = LEVELS.findIndex((candidate) => candidate === level);
    this.threshold = known === -1 ? LEVELS.indexOf('info') : known;
  }

  /** A line about something that happened, with its own fields. */
  event(level: Level, event: string, fields: Readonly<Record<string, unknown>>): void {
    this.write(level, { event, ...fields });
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.nest('info', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.nest('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.nest('error', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.nest('error', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.nest('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.nest('debug', message, rest);
  }

  /** Nest passes the context as the last argument, and for errors the stack before it. */
  private nest(level: Level, message: unknown, rest: readonly unknown[]): void {
    const context = rest.at(-1);
    const details = rest
      .slice(0, -1)
      .filter((detail) => detail !== undefined)
      .map(printable);
    this.write(level, {
      message: printable(message),
      ...(context === undefined ? {} : { context: printable(context) }),
      ...(message instanceof Error ? { stack: message.stack } : {}),
      ...(details.length === 0 ? {} : { details }),
    });
  }

  private write(level: Level, fields: Readonly<Record<string, unknown>>): void {
    if (LEVELS.indexOf(level) >= this.threshold) {
      const line = { time: new Date().toISOString(), app: this.app, level, ...fields };
      process.stdout.write(`${JSON.stringify(line, rounded)}\n`);
    }
  }
}

/** Milliseconds need no more than one decimal. */
function rounded(key: string, value: unknown): unknown {
  return key.endsWith('Ms') && typeof value === 'number' ? Math.round(value * 10) / 10 : value;
}

function printable(value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
