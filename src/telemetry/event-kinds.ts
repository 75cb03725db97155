import type { ResilienceEventKind } from './events.js';

/** The compiler checks that the list is complete. */
const KINDS: Readonly<Record<ResilienceEventKind, true>> = {
  'call-start': true,
  'call-end': true,
  'attempt-start': true,
  attempt: true,
  retry: true,
  'retries-exhausted': true,
  rejected: true,
  queued: true,
  throttled: true,
  timeout: true,
  late: true,
  'state-change': true,
  override: true,
  fallback: true,
  'cache-error': true,
  configuration: true,
  'store-degraded': true,
  'store-recovered': true,
};

/** All kinds of events. */
export const resilienceEventKinds = Object.keys(KINDS) as readonly ResilienceEventKind[];
