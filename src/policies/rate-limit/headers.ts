import type { Rate } from './gcra.js';

/** The state of a limit, as clients see it. */
export interface Quota extends Rate {
  /** Calls that would be allowed now. */
  readonly remaining: number;
}

/**
 * `RateLimit-Policy` and `RateLimit` for HTTP clients, by draft-ietf-httpapi-ratelimit-headers-11. Each limit is called "default" there: its own name may reveal internals.
 *
 * @param nextMs milliseconds until more calls are allowed than now; `undefined`: never
 */
export function headersOf(
  { limit, perMs, remaining }: Quota,
  nextMs: number | undefined,
): Readonly<Record<string, string>> {
  // The draft has whole seconds only.
  const seconds = Math.ceil(perMs / 1_000);
  const calls = Math.max(1, Math.floor((limit * seconds * 1_000) / perMs));
  const next = nextMs === undefined ? '' : `;t=${Math.max(1, Math.ceil(nextMs / 1_000))}`;
  return {
    'RateLimit-Policy': `"default";q=${calls};w=${seconds}`,
    RateLimit: `"default";r=${remaining}${next}`,
  };
}
