const UNITS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Thrown when the environment contains invalid settings; lists all of them. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(readonly problems: readonly string[]) {
    super(`Wrong configuration:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/**
 * Reads settings from environment variables. Problems are collected, so that a team sees all of them
 * at the first start, not one per start.
 */
export class EnvReader {
  private readonly problems: string[] = [];

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  text(name: string, fallback: string): string {
    return this.raw(name) ?? fallback;
  }

  integer(name: string, fallback: number, range: { min: number; max: number }): number {
    return this.number(name, fallback, range, Number.isInteger, 'a whole number');
  }

  decimal(name: string, fallback: number, range: { min: number; max: number }): number {
    return this.number(name, fallback, range, Number.isFinite, 'a number');
  }

  port(name: string, fallback: number): number {
    return this.integer(name, fallback, { min: 1, max: 65_535 });
  }

  /** A duration such as `500ms`, `2s`, `1.5m`, `1h` or plain milliseconds; the result is in milliseconds. */
  duration(name: string, fallback: string): number {
    const text = this.raw(name) ?? fallback;
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
    const ms = match === null ? 0 : Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1);
    if (ms <= 0) {
      this.problems.push(`${name} must be a duration such as 500ms, 2s or 10m, but is '${text}'`);
    }
    return ms;
  }

  /** The first of them is the default. */
  oneOf<T extends string>(name: string, values: readonly [T, ...T[]]): T {
    const text = this.raw(name) ?? values[0];
    const known = values.find((value) => value === text);
    this.check(known !== undefined, `${name} must be ${values.join(' or ')}, but is '${text}'`);
    return known ?? values[0];
  }

  url(name: string, fallback: string, ...schemes: string[]): string {
    return this.checkUrl(name, this.raw(name) ?? fallback, schemes);
  }

  optionalUrl(name: string, ...schemes: string[]): string | undefined {
    const text = this.raw(name);
    return text === undefined ? undefined : this.checkUrl(name, text, schemes);
  }

  /** Reports a contradiction between settings. */
  check(holds: boolean, problem: string): void {
    if (!holds) {
      this.problems.push(problem);
    }
  }

  /** @throws ConfigurationError naming every problem found so far */
  done<T>(config: T): T {
    if (this.problems.length > 0) {
      throw new ConfigurationError(this.problems);
    }
    return config;
  }

  private raw(name: string): string | undefined {
    const text = this.env[name]?.trim();
    return text === '' ? undefined : text;
  }

  private number(
    name: string,
    fallback: number,
    { min, max }: { min: number; max: number },
    accepts: (value: number) => boolean,
    kind: string,
  ): number {
    const text = this.raw(name);
    const value = text === undefined ? fallback : Number(text);
    if (!accepts(value) || value < min || value > max) {
      this.problems.push(`${name} must be ${kind} from ${min} to ${max}, but is '${text}'`);
    }
    return value;
  }

  private checkUrl(name: string, text: string, schemes: readonly string[]): string {
    const scheme = URL.canParse(text) ? new URL(text).protocol.slice(0, -1) : undefined;
    if (scheme === undefined || !schemes.includes(scheme)) {
      // The value is not repeated: it may hold a password.
      this.problems.push(`${name} must be a URL of scheme ${schemes.join(' or ')}`);
    }
    return text.replace(/\/+$/, '');
  }
}
