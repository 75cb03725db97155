import type { Instances } from '../policies/policy.js';

/** Definitions of one name: each has functions or an object of its own, whose results may depend on more than the arguments. */
export class Definitions implements Instances {
  private count = 1;

  /** @param reason why there may be several, as a clause for messages */
  constructor(readonly reason: string) {}

  add(): void {
    this.count += 1;
  }

  get many(): string | undefined {
    return this.count === 1 ? undefined : this.reason;
  }

  isOnly(): boolean {
    return this.count === 1;
  }
}
