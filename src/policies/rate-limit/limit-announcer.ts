import { AsyncResource } from 'node:async_hooks';
import type { ResilienceEvent } from '../../telemetry/events.js';
import type { ResilienceEvents } from '../../telemetry/resilience-events.js';
import type { Quota } from './headers.js';
import { RateLimitedError, type RateLimitedReason } from './rate-limited-error.js';

/** Emits the events of a limit, and counts calls. */
export class LimitAnnouncer {
  /** Calls allowed so far. */
  admitted = 0;
  /** Calls rejected so far. */
  rejected = 0;

  constructor(
    private readonly name: string,
    private readonly events: ResilienceEvents,
  ) {}

  /** The async context of a call that begins to wait; `undefined` without a listener. */
  origin(): AsyncResource | undefined {
    return this.events.active('throttled') || this.events.active('rejected')
      ? new AsyncResource('nest-resilience:waiter')
      : undefined;
  }

  /** @param origin the async context of the call, if it is not the current one */
  rejection(
    reason: RateLimitedReason,
    quota: Quota,
    retryAfterMs?: number,
    origin?: AsyncResource,
  ): RateLimitedError {
    this.rejected += 1;
    const { name } = this;
    const error = new RateLimitedError(name, reason, quota, retryAfterMs);
    if (!this.events.countRejection()) return error;
    const { policy, code } = error;
    this.emit({ type: 'rejected', name, policy, code, retryAfterMs }, origin);
    return error;
  }

  /** @param origin as for a rejection */
  throttled(waitedMs: number, origin?: AsyncResource): void {
    if (!this.events.active('throttled')) return;
    this.emit({ type: 'throttled', name: this.name, waitedMs }, origin);
  }

  private emit(event: ResilienceEvent, origin: AsyncResource | undefined): void {
    if (origin === undefined) this.events.emit(event);
    else origin.runInAsyncScope(() => this.events.emit(event));
  }
}
