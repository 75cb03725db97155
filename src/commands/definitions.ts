import type { Instances } from '../policies/policy.js';

/** Why there may be several, as a clause for messages. */
export const DEFINED_AGAIN = 'the command is defined more than once';

/** The definitions of one command: each has functions of its own, which may know more than the arguments say. */
export class Definitions implements Instances {
  private count = 1;

  add(): void {
    this.count += 1;
  }

  get many(): string | undefined {
    return this.count === 1 ? undefined : DEFINED_AGAIN;
  }

  isOnly(): boolean {
    return this.count === 1;
  }
}
