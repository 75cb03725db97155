import { outsideOfCalls } from '../common/async-context.js';
import type { Clock, Timer } from '../common/clock.js';

/** How long a lease waits for a call that can use it, milliseconds. */
const KEPT = 1_000;

/** A lease that no call has used yet: it is soon given back, since others wait for it. */
export class KeptLease {
  private lease: { readonly token: string; readonly timer: Timer } | undefined = undefined;

  constructor(
    private readonly clock: Clock,
    private readonly giveBack: (token: string) => void,
  ) {}

  take(): string | undefined {
    const { lease } = this;
    if (lease === undefined) return undefined;
    this.lease = undefined;
    lease.timer.cancel();
    return lease.token;
  }

  keep(token: string): void {
    const former = this.take();
    if (former !== undefined) this.giveBack(former);
    const timer = outsideOfCalls(() =>
      this.clock.setTimer(() => {
        this.lease = undefined;
        this.giveBack(token);
      }, KEPT),
    );
    timer.unref();
    this.lease = { token, timer };
  }
}
