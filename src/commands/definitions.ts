import type { Instances } from '../policies/policy.js';

/** The reason why there may be several, as a clause for messages. */
export const DEFINED_AGAIN = 'the command is defined more than once';

/** The definitions of one command: each has its own functions, whose results may depend on more than the arguments. */
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
