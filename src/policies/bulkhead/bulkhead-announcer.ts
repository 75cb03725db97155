import { AsyncResource } from 'node:async_hooks';
import type { ResilienceEvent } from '../../telemetry/events.js';
import type { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { BulkheadFullError, type BulkheadFullReason } from './bulkhead-full-error.js';

/** Emits the events of a bulkhead, and counts rejected calls. */
export class BulkheadAnnouncer {
  /** Calls rejected so far. */
  rejected = 0;

  constructor(
    private readonly name: string,
    private readonly events: ResilienceEvents,
  ) {}

  /** The async context of a call that begins to wait; `undefined` without a listener. */
  origin(): AsyncResource | undefined {
    return this.events.active('queued') || this.events.active('rejected')
      ? new AsyncResource('nest-resilience:waiter')
      : undefined;
  }

  /** @param origin the async context of the call, if it is not the current one */
  rejection(
    reason: BulkheadFullReason,
    retryAfterMs: number | undefined,
    origin?: AsyncResource,
  ): BulkheadFullError {
    this.rejected += 1;
    const { name } = this;
    const error = new BulkheadFullError(name, reason, retryAfterMs);
    if (!this.events.countRejection()) return error;
    const { policy, code } = error;
    this.emit({ type: 'rejected', name, policy, code, retryAfterMs }, origin);
    return error;
  }

  /** @param origin as for a rejection */
  queued(waitedMs: number, origin?: AsyncResource): void {
    if (!this.events.active('queued')) return;
    this.emit({ type: 'queued', name: this.name, waitedMs }, origin);
  }

  private emit(event: ResilienceEvent, origin: AsyncResource | undefined): void {
    if (origin === undefined) this.events.emit(event);
    else origin.runInAsyncScope(() => this.events.emit(event));
  }
}
