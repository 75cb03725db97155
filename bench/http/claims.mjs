export const BARE = 'not imported';
export const IDLE = 'an interceptor that does nothing';
const HANDLER = 'five policies on the handler';
const BY_HAND = 'five policies by hand, as RxJS operators';
const SERVICE = 'five policies on a service';
const BREAKER = 'a breaker on a service';

export const VARIANTS = [BARE, 'imported', IDLE, BY_HAND, HANDLER, SERVICE, BREAKER];

/** The limits of `--check`: `least` or `most`. README.md says how they were chosen. */
const CLAIMS = [
  {
    claim: 'imported and undecorated, requests per second, of those of not imported',
    value: (of) => of('imported').toBare,
    least: 0.99,
  },
  {
    claim: 'five policies on the handler, added CPU time, of that of an idle interceptor',
    value: (of) => of(HANDLER).addedMicros / of(IDLE).addedMicros,
    most: 2,
  },
  {
    claim: 'five policies on a service, added CPU time, µs',
    value: (of) => of(SERVICE).addedMicros,
    most: 1,
  },
  {
    claim: 'a breaker on a service, added CPU time, µs',
    value: (of) => of(BREAKER).addedMicros,
    most: 0.5,
  },
  {
    claim: 'five policies on a service, requests per second, of those of not imported',
    platform: 'express',
    value: (of) => of(SERVICE).toBare,
    least: 0.96,
  },
];

/** @param rows of one platform, with what each variant adds to the bare one */
export function comparedWithBare(rows) {
  const bare = rows.find(({ variant }) => variant === BARE);
  return rows.map((row) => ({
    ...row,
    addedMicros: row.cpuMicros - bare.cpuMicros,
    toBare: row.perSecond / bare.perSecond,
  }));
}

export function judge(platform, rows) {
  const of = (variant) => rows.find((row) => row.variant === variant);
  return CLAIMS.filter((each) => (each.platform ?? platform) === platform).map(
    ({ claim, value, least, most }) => {
      const measured = value(of);
      const limit = least === undefined ? `at most ${most}` : `at least ${least}`;
      const holds = measured >= (least ?? -Infinity) && measured <= (most ?? Infinity);
      return { claim: `${platform}: ${claim}: ${limit}`, value: measured, holds };
    },
  );
}
