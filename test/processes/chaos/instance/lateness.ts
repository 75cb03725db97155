import { machineNow } from '../entries.js';

const EVERY = 10;

/** How late this process is: it may have been suspended, or have had no processor. Nobody else can be blamed for that. */
export class Lateness {
  private total = 0;
  private due = machineNow() + EVERY;

  constructor() {
    setInterval(() => {
      this.total = this.sum();
      this.due = machineNow() + EVERY;
    }, EVERY).unref();
  }

  /** Milliseconds since the start. */
  sum(): number {
    return this.total + Math.max(0, machineNow() - this.due);
  }
}
