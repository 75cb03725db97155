import type { Entry } from '../entries.js';

/** How long an instance that got no answer in time may go on without one, milliseconds. */
const FOR = 1_000;

/** Which instances may go on without leases of the store: the store has not answered them in time, or they have given it up. */
export class WithoutAnswer {
  private readonly until = new Map<string, number>();

  see({ type, from, at }: Entry): void {
    if (type === 'degraded') this.until.set(from, Infinity);
    if (type === 'recovered') this.until.set(from, at + FOR);
    if (type === 'unanswered' && !this.has(from, Infinity)) this.until.set(from, at + FOR);
  }

  has(instance: string, at: number): boolean {
    return (this.until.get(instance) ?? -Infinity) >= at;
  }
}
