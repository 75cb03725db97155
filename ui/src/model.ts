/*
 * The page's view of what the server tells. `api.ts` makes it from the server's answers, so the views do not know
 * how these are spelled.
 */

/** How much a thing needs a person. */
export interface Health {
  readonly level: 'bad' | 'warn' | 'info' | 'good';
  readonly word: string;
}

/** Values at equal steps, the newest last; `null`: nothing was measured. */
export type Values = readonly (number | null)[];

/** The last quarter of an hour. */
export interface History {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly requests: Values;
  /** Shares, 0 to 1. */
  readonly errors: Values;
  readonly rejected: Values;
  readonly retries: Values;
  readonly fallbacks: Values;
  readonly stale: Values;
  /** Milliseconds. */
  readonly p50: Values;
  readonly p95: Values;
  readonly p99: Values;
  readonly running: Values;
  readonly waiting: Values;
}

export interface Override {
  readonly kind: string;
  readonly by: string | undefined;
  readonly reason: string | undefined;
  /** Milliseconds since 1970. */
  readonly until: number | undefined;
}

export interface Dependency {
  readonly name: string;
  readonly health: Health;
  readonly critical: boolean;
  readonly state: string;
  readonly override: Override | undefined;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly why: string;
  /** When probes are admitted, milliseconds since 1970. */
  readonly nextProbe: number | undefined;
  /** Counts of the window against its thresholds, in words. */
  readonly facts: readonly (readonly [string, string])[];
  readonly history: History | undefined;
}

export interface Option {
  readonly name: string;
  readonly value: string;
  /** The layer of the configuration that it comes from. */
  readonly origin: string;
}

/** A method, command or named pipeline. */
export interface Method {
  readonly name: string;
  readonly stages: readonly string[];
  readonly policies: readonly { readonly kind: string; readonly options: readonly Option[] }[];
  readonly breaker: string | undefined;
}

/** An event, in words. */
export interface Happening {
  readonly id: number;
  readonly at: number;
  readonly kind: string;
  readonly name: string;
  readonly text: string;
}

/** A bulkhead. */
export interface Bulkhead {
  readonly name: string;
  readonly running: number;
  readonly places: number;
  readonly waiting: number;
  readonly queue: number;
  readonly rejected: number;
}
