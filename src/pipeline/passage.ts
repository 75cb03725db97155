import type { AsyncResource } from 'node:async_hooks';
import type { Call } from './call.js';
import type { Pipeline } from './pipeline.js';
import { type Waiter, tell } from './waiter.js';

/**
 * Passes the end of the work to its call, and the outcome of the call to `waiter`, both in the async context of the caller. Only
 * the first end counts, since an interruption and the end of the work may both come.
 */
export class Passage implements Waiter {
  private over = false;

  constructor(
    private readonly pipeline: Pipeline,
    private readonly call: Call,
    private readonly work: unknown,
    private readonly context: AsyncResource,
    private readonly waiter: Waiter,
  ) {}

  resolve(result: unknown): void {
    if (this.over) return;
    this.over = true;
    this.context.runInAsyncScope(() => this.succeed(result));
  }

  reject(error: unknown): void {
    if (this.over) return;
    this.over = true;
    this.context.runInAsyncScope(() => this.fail(error));
  }

  private succeed(result: unknown): void {
    const { pipeline, call, work, waiter } = this;
    let outcome: Promise<unknown> | undefined;
    try {
      outcome = pipeline.succeedFast(call, result, work);
    } catch (error) {
      return waiter.reject(error);
    }
    if (outcome === undefined) waiter.resolve(call.value);
    else tell(waiter, outcome);
  }

  private fail(error: unknown): void {
    const { pipeline, call, work, waiter } = this;
    let outcome: Promise<unknown>;
    try {
      outcome = pipeline.failFast(call, error, work);
    } catch (thrown) {
      return waiter.reject(thrown);
    }
    tell(waiter, outcome);
  }
}
