/** How far a window looks back, and in how many slices. Windows of a kind share one. */
export interface Span {
  /** Milliseconds. */
  readonly duration: number;
  readonly slices: number;
}

/**
 * The last `duration` milliseconds in slices of `duration / slices`. Nobody moves it on: whoever writes or reads finds
 * out which slices have become too old.
 *
 * When the clock goes back, everything belongs to the newest slice until it has caught up.
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

  /** To be called before anything is written or read. */
  protected expire(now: number): void {
    if (now >= this.endsAt) this.roll(now);
  }

  /** Forgets what has become too old: `passed` slices are over, and `current` is another one. */
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
