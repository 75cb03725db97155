/**
 * The last `duration` milliseconds as a ring of slices of `duration / slices`. A slice that has become too old is
 * used again: a step a slice that has passed, at most all of them.
 *
 * When the clock goes back, everything belongs to the newest slice until it has caught up.
 */
export abstract class RollingWindow {
  /** The newest slice. */
  protected current = 0;
  private readonly width: number;
  private endsAt: number;

  constructor(
    readonly duration: number,
    protected readonly slices: number,
    now: number,
  ) {
    this.width = duration / slices;
    this.endsAt = now + this.width;
  }

  /** To be called before anything is written or read. */
  protected expire(now: number): void {
    if (now >= this.endsAt) this.roll(now);
  }

  /** Forgets what is in `slice`: its time begins, and that of the one `before` is over. */
  protected abstract renew(slice: number, before: number): void;

  private roll(now: number): void {
    const passed = Math.floor((now - this.endsAt) / this.width) + 1;
    for (let left = Math.min(passed, this.slices); left > 0; left--) {
      const before = this.current;
      this.current = before + 1 === this.slices ? 0 : before + 1;
      this.renew(this.current, before);
    }
    this.endsAt += passed * this.width;
  }
}
