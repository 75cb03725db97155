/** How long rates must differ before this is reported, milliseconds: a change takes a while to reach all instances. */
const LASTING = 60_000;

/** Notices that other instances ask for a limit with another rate. */
export class OtherRates {
  private since = Infinity;
  private last = -Infinity;

  /** @param warn called with each request that meets a different rate after a minute of such requests */
  constructor(private readonly warn: () => void) {}

  /** A request has met a different rate. @param now milliseconds */
  met(now: number): void {
    if (now - this.last > LASTING) this.since = now;
    this.last = now;
    if (now - this.since >= LASTING) this.warn();
  }
}
