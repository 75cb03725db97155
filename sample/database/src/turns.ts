/** A lock that is handed over in the order in which it was asked for. */
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
