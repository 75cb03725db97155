/** A lock that is granted in the order of the requests for it. */
export class Turns {
  private last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn; the result gives the turn back and may be called twice. */
  async take(): Promise<() => void> {
    const previous = this.last;
    let giveBack = (): void => undefined;
    this.last = new Promise((resolve) => (giveBack = resolve));
    await previous;
    return giveBack;
  }
}
