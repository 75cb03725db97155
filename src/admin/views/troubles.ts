import type { BulkheadSnapshot } from '../../policies/bulkhead/snapshot.js';
import type { BreakerCounts, StateChangeReason } from '../../telemetry/events.js';
import type {
  AdminStreamBreaker,
  AdminFleet,
  AdminRateLimit,
  AdminSeverity,
  AdminTrouble,
  AdminTroubleKind,
} from '../contract.js';

const SEVERITIES: Readonly<Record<AdminTroubleKind, AdminSeverity>> = {
  open: 'critical',
  'forced-open': 'critical',
  'half-open': 'warning',
  saturated: 'warning',
  limiting: 'warning',
  'store-degraded': 'warning',
  failing: 'warning',
  disabled: 'notice',
  'observe-only': 'notice',
};

const ORDER: readonly AdminTroubleKind[] = [
  'open',
  'forced-open',
  'half-open',
  'store-degraded',
  'saturated',
  'limiting',
  'failing',
  'disabled',
  'observe-only',
];

/** The place of a trouble in the list: the worst first. */
export function urgencyOf({ kind }: AdminTrouble): number {
  return ORDER.indexOf(kind);
}

/** The trouble of a breaker; `undefined` when it is well. */
export function breakerTrouble(breaker: AdminStreamBreaker): AdminTrouble | undefined {
  const { name, state, override } = breaker;
  if (override !== undefined) {
    const { kind, by = 'somebody', reason = 'no reason was given' } = override;
    return troubleOf('breaker', name, kind, undefined, `${by}: ${reason}`);
  }
  if (state !== 'closed') {
    return troubleOf('breaker', name, state, breaker.illSince, whyNotClosed(breaker));
  }
  const { failureRate, counts, limits } = breaker;
  const { successes, failures } = counts;
  const limit = limits.failureRate;
  if (limit === undefined || failures === 0 || failureRate < limit / 2) return undefined;
  if (successes + failures < limits.minimumCalls! / 2) return undefined;
  return troubleOf('breaker', name, 'failing', undefined, rateText(counts, limit));
}

/** The trouble of a bulkhead; `undefined` when it is well. */
export function bulkheadTrouble({
  name,
  running,
  waiting,
  maxConcurrent,
}: BulkheadSnapshot): AdminTrouble | undefined {
  if (running < maxConcurrent) return undefined;
  const why = `all ${maxConcurrent} places are taken, and ${waiting} calls wait`;
  return troubleOf('bulkhead', name, 'saturated', undefined, why);
}

/** A rate limit rejects many calls when it has rejected so many in the last minute, and this share of them. */
const MANY = { calls: 10, share: 0.1 };

/** The trouble of a rate limit; `undefined` when it is well. */
export function rateLimitTrouble({
  name,
  recent,
}: Pick<AdminRateLimit, 'name' | 'recent'>): AdminTrouble | undefined {
  const { admitted, rejected } = recent ?? { admitted: 0, rejected: 0 };
  const calls = admitted + rejected;
  if (rejected < MANY.calls || rejected < MANY.share * calls) return undefined;
  const why = `${rejected} of ${calls} calls were rejected in the last minute`;
  return troubleOf('rateLimit', name, 'limiting', undefined, why);
}

/** The trouble of the store of a fleet; `undefined` when it is well. */
export function storeTrouble({ kind, degradedSince }: AdminFleet): AdminTrouble | undefined {
  if (degradedSince === undefined) return undefined;
  const why = 'it does not answer; shared breakers and limits act as local ones';
  return troubleOf('store', kind, 'store-degraded', degradedSince, why);
}

function troubleOf(
  part: AdminTrouble['part'],
  name: string,
  kind: AdminTroubleKind,
  since: number | undefined,
  why: string,
): AdminTrouble {
  const severity = SEVERITIES[kind];
  return { part, name, kind, severity, ...(since !== undefined && { since }), why };
}

function whyNotClosed({ cause, limits, counts }: AdminStreamBreaker): string {
  if (cause === undefined) return rateText(counts, limits.failureRate);
  return REASONS[cause.reason](cause.counts, limits);
}

const REASONS: Readonly<
  Record<StateChangeReason, (counts: BreakerCounts, limits: AdminStreamBreaker['limits']) => string>
> = {
  'failure-rate': (counts, limits) => rateText(counts, limits.failureRate),
  'slow-call-rate': ({ slow, successes, failures }) =>
    `${slow} of ${successes + failures} calls were slow`,
  'consecutive-failures': ({ consecutiveFailures }) =>
    `${consecutiveFailures} calls failed in a row`,
  'ready-to-trip': ({ successes, failures }) =>
    `readyToTrip() said so, after ${failures} failures of ${successes + failures} calls`,
  'open-time-elapsed': () => 'its open time is over; probes show whether calls succeed again',
  'probe-failed': () => 'a probe has failed',
  'probes-succeeded': () => 'its probes have succeeded',
  fleet: () => 'another instance has changed it, or has heard of the change first',
  reset: () => 'it was reset',
};

function rateText({ successes, failures }: BreakerCounts, limit: number | undefined): string {
  const ended = successes + failures;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const rate = ended === 0 ? 0 : failures / ended;
  const allowed = limit === undefined ? '' : `; the circuit opens at ${percent(limit)}`;
  return `${failures} of ${ended} calls have failed (${percent(rate)}${allowed})`;
}
