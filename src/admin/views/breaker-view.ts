import type { BreakerSnapshot } from '../../policies/circuit-breaker/snapshot.js';
import type { BreakerOverride, BreakerState } from '../../telemetry/events.js';
import type { LatencySnapshot, MetricsSnapshot } from '../../telemetry/metrics/snapshot.js';
import type { AdminBreaker, AdminOverride, AdminStreamBreaker } from '../contract.js';
import type { Episode, Episodes } from '../events/episodes.js';
import { textOf } from '../plain.js';
import { steady } from './steady.js';

/** A pause of the process between two readings of the clock shifts an instant by as much, milliseconds. */
const PAUSE = 2_000;

/** Makes views of breakers that only differ when something has happened, so that a stream need not repeat them. */
export class BreakerViews {
  /** The instants of the latest views, by name. */
  private readonly instants = new Map<string, { since: number; probeAt: number | undefined }>();

  constructor(
    private readonly episodes: Episodes,
    private readonly now: () => number,
  ) {}

  view(snapshot: BreakerSnapshot, group?: string): AdminBreaker {
    const { name, scope, state, override, counts, failureRate, slowCallRate } = snapshot;
    const { running, rejected, metrics } = snapshot;
    const episode = this.episodes.of(name, state);
    const { since, probeAt } = this.instantsOf(snapshot, episode);
    return {
      name,
      ...(group !== undefined && { group }),
      scope,
      state,
      since,
      ...(state !== 'closed' && { illSince: episode?.illSince ?? since }),
      ...(episode !== undefined && { cause: episode.cause }),
      ...(override !== undefined && { override: overrideView(override) }),
      ...(probeAt !== undefined && { probeAt }),
      counts,
      failureRate,
      slowCallRate,
      limits: present(snapshot.limits),
      timeInStateMs: formerTimes(snapshot),
      running,
      rejected,
      metrics: metricsView(metrics),
    };
  }

  /** Forgets all others: keys come and go. */
  retain(watched: ReadonlyMap<string, unknown>): void {
    for (const name of this.instants.keys()) if (!watched.has(name)) this.instants.delete(name);
  }

  private instantsOf(
    { name, stateForMs, retryAfterMs }: BreakerSnapshot,
    episode: Episode | undefined,
  ): { since: number; probeAt: number | undefined } {
    const now = this.now();
    const before = this.instants.get(name);
    const since = episode?.cause.at ?? steady(before?.since, now - stateForMs, PAUSE);
    const probeAt =
      retryAfterMs === undefined ? undefined : steady(before?.probeAt, now + retryAfterMs);
    const instants = { since, probeAt };
    if (before !== undefined || this.instants.size < 5_000) this.instants.set(name, instants);
    return instants;
  }
}

/** A breaker as the stream sends it. */
export function streamView(breaker: AdminBreaker): AdminStreamBreaker {
  const { timeInStateMs: _timeInStateMs, metrics, ...told } = breaker;
  const { p50, p99 } = metrics.latency;
  return { ...told, metrics: { latency: { p50, p99 } } };
}

export function overrideView({ kind, by, reason, until }: BreakerOverride): AdminOverride {
  return {
    kind,
    ...(by !== undefined && { by: textOf(by) }),
    ...(reason !== undefined && { reason: textOf(reason) }),
    ...(until !== undefined && { until: until.getTime() }),
  };
}

/** The time in each state, without the current stay, which goes on. */
function formerTimes({
  state,
  stateForMs,
  timeInStateMs,
}: BreakerSnapshot): Readonly<Record<BreakerState, number>> {
  const { closed, open, 'half-open': halfOpen } = timeInStateMs;
  const times = { closed, open, 'half-open': halfOpen };
  times[state] -= stateForMs;
  for (const each of Object.keys(times) as BreakerState[]) times[each] = Math.round(times[each]);
  return times;
}

export function metricsView(metrics: MetricsSnapshot): MetricsSnapshot {
  const { latency, totalLatency } = metrics;
  const rounded = latencyView(latency);
  return {
    ...metrics,
    latency: rounded,
    totalLatency: latency === totalLatency ? rounded : latencyView(totalLatency),
  };
}

/** In hundredths of a millisecond. */
function latencyView(latency: LatencySnapshot): LatencySnapshot {
  const rounded = Object.entries(latency).map(([key, ms]: [string, number]) => [
    key,
    Math.round(ms * 100) / 100,
  ]);
  return Object.fromEntries(rounded) as LatencySnapshot;
}

function present<T extends object>(values: T): { readonly [Key in keyof T]?: NonNullable<T[Key]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    readonly [Key in keyof T]?: NonNullable<T[Key]>;
  };
}
