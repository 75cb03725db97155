/** Milliseconds per unit of a {@link Duration}. */
const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** A unit of a {@link Duration}. */
type Unit = keyof typeof UNITS;

/** A length of time: a number of milliseconds, or a string such as `'500ms'`, `'2s'`, `'1.5m'`, `'1h'`. */
export type Duration = number | `${number}${Unit}`;

const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

/** Milliseconds of a {@link Duration}; `undefined` when the value is not one (negative, not a number, unknown unit). */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = PATTERN.exec(value);
  return match ? Number(match[1]) * UNITS[match[2] as Unit] : undefined;
}
