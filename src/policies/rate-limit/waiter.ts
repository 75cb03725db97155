import type { AsyncResource } from 'node:async_hooks';
import type { RateLimitedError } from './rate-limited-error.js';
import type { Turn } from './turn.js';

/** A call that waits until its limit allows it. */
export class Waiter implements Turn {
  /** @internal */
  previous: Waiter | undefined = undefined;
  /** @internal */
  next: Waiter | undefined = undefined;
  /** @internal Whether it still waits. */
  queued = true;
  /** @internal Its async context, in which events about it are emitted; only set with a listener. */
  origin: AsyncResource | undefined = undefined;
  /** @internal */
  resolve!: () => void;
  /** @internal */
  reject!: (error: RateLimitedError) => void;

  /** Resolves when the call is allowed; rejects when it will not be. */
  readonly ready = new Promise<void>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  /** @internal */
  constructor(
    readonly cost: number,
    /** When it began to wait. */
    readonly since: number,
    private readonly queue: { leave(waiter: Waiter): void },
  ) {}

  /** Gives up its turn, if it still waits: calls behind it move up. */
  leave(): void {
    if (this.queued) this.queue.leave(this);
  }
}
