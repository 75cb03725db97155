/** How far a window looks back, and in how many slices. Shared by all windows of a kind. */
export interface Span {
  /** Milliseconds. */
  readonly duration: number;
  readonly slices: number;
}

/**
 * The last `duration` milliseconds in slices of `duration / slices`. It has no timer: writing and reading expire slices
 * that have become too old.
 *
 * If the clock goes back, everything counts in the newest slice until the clock has caught up.
 */
export abstract class RollingWindow {
  /** The number of the newest slice, from 0. */
  protected current = 0;
  private endsAt: number;

  /** @param now when the first slice begins */
  constructor(
    readonly span: Span,
    now: number,
  ) {
    this.endsAt = now + span.duration / span.slices;
  }

  /** Must be called before anything is written or read. */
  protected expire(now: number): void {
    if (now >= this.endsAt) this.roll(now);
  }

  /** Drops what has become too old: `passed` slices have ended, and `current` is already the new one. */
  protected abstract forget(passed: number): void;

  private roll(now: number): void {
    const { duration, slices } = this.span;
    const width = duration / slices;
    const passed = Math.floor((now - this.endsAt) / width) + 1;
    this.current += passed;
    this.endsAt += passed * width;
    this.forget(passed);
  }
}
