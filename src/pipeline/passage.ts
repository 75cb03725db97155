import type { Call } from './call.js';
import type { Pipeline } from './pipeline.js';
import { type Waiter, tell } from './waiter.js';

/** Takes the end of the work to its call, and the outcome of the call to `waiter`. */
export class Passage implements Waiter {
  private over = false;

  constructor(
    private readonly pipeline: Pipeline,
    private readonly call: Call,
    private readonly work: unknown,
    private readonly waiter: Waiter,
  ) {}

  resolve(result: unknown): void {
    const { pipeline, call, work, waiter } = this;
    if (this.over) return;
    this.over = true;
    let outcome: Promise<unknown> | undefined;
    try {
      outcome = pipeline.succeedFast(call, result, work);
    } catch (error) {
      return waiter.reject(error);
    }
    if (outcome === undefined) waiter.resolve(call.value);
    else tell(waiter, outcome);
  }

  reject(error: unknown): void {
    const { pipeline, call, work, waiter } = this;
    if (this.over) return;
    this.over = true;
    let outcome: Promise<unknown>;
    try {
      outcome = pipeline.failFast(call, error, work);
    } catch (thrown) {
      return waiter.reject(thrown);
    }
    tell(waiter, outcome);
  }
}
