import type { LimitDecision, LimitRequest } from '../../fleet/store.js';

interface Bucket {
  /** Calls that are counted, at the time {@link at}. */
  level: number;
  /** Microseconds, as servers count. */
  at: number;
  limit: number;
  perMs: number;
  burst: number;
}

/** Sums and differences are off by less than this, calls. */
const ROUNDING = 1e-9;

/** The rate limits of a {@link MemoryStore}: the generic cell rate algorithm. */
export class MemoryLimits {
  private readonly buckets = new Map<string, Bucket>();

  constructor(private readonly now: () => number) {}

  take(name: string, request: LimitRequest): LimitDecision {
    const { limit, perMs, burst, cost, maxWaitMs } = request;
    const now = Math.floor(this.now() * 1_000);
    const interval = (perMs * 1_000) / limit;
    const { level, mend, other } = this.levelFor(name, request, now);
    const over = level + cost - burst;
    const wait = over > ROUNDING ? over * interval : 0;
    const allowed = cost <= burst && wait <= maxWaitMs * 1_000 + ROUNDING * interval;
    const after = allowed ? level + cost : level;
    if (after === 0) this.buckets.delete(name);
    else if (mend || allowed) {
      this.buckets.set(name, { level: after, at: now, limit, perMs, burst });
    }
    return {
      allowed,
      waitMs: allowed ? inMs(wait) : 0,
      remaining: Math.max(0, Math.floor(burst - after + ROUNDING)),
      retryAfterMs: allowed ? 0 : cost > burst ? Infinity : inMs(wait - maxWaitMs * 1_000),
      resetMs: inMs(after * interval),
      ...(other && { otherRate: true }),
    };
  }

  clear(): void {
    this.buckets.clear();
  }

  /**
   * The current count: calls that another rate has admitted count as far as they fit. `mend` means that the bucket must be
   * written in any case, so that an older state does not block for too long; `other`, that there were such calls.
   */
  private levelFor(
    name: string,
    { limit, perMs, burst }: LimitRequest,
    now: number,
  ): { level: number; mend: boolean; other: boolean } {
    const bucket = this.buckets.get(name);
    if (bucket === undefined) return { level: 0, mend: false, other: false };
    const interval = (bucket.perMs * 1_000) / bucket.limit;
    const elapsed = now - bucket.at;
    const left = bucket.level - Math.max(0, elapsed) / interval;
    const level = left > ROUNDING ? left : 0;
    const same = bucket.limit === limit && bucket.perMs === perMs && bucket.burst === burst;
    if (same) return { level, mend: elapsed < 0, other: false };
    return { level: Math.min(level, burst), mend: true, other: level > 0 };
  }
}

/** Whole milliseconds, rounded up, of microseconds. */
function inMs(microseconds: number): number {
  return Math.max(0, Math.ceil(microseconds / 1_000 - ROUNDING));
}
