import type { Instances } from '../policies/policy.js';

/** The definitions of one command: each has functions of its own, which may know more than the arguments say. */
export class Definitions implements Instances {
  private count = 1;

  add(): void {
    this.count += 1;
  }

  get many(): string | undefined {
    return this.count === 1 ? undefined : `the command is defined more than once`;
  }

  isOnly(): boolean {
    return this.count === 1;
  }
}
