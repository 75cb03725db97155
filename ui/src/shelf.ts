/**
 * The latest parts of one kind from the stream, and what the page shows of each: the same object until a message changes
 * it, so that its row need not be redrawn.
 */
export class Shelf<Part extends { readonly name: string }, Shown extends object> {
  private readonly parts = new Map<string, Part>();
  private readonly shown = new Map<string, Shown>();

  constructor(private readonly show: (part: Part) => Shown) {}

  clear(): void {
    this.parts.clear();
    this.shown.clear();
  }

  /** Takes parts that are new or have changed, and drops those that are gone. */
  update(changed: readonly Part[], gone: readonly string[] = []): void {
    for (const part of changed) {
      this.parts.set(part.name, part);
      this.shown.delete(part.name);
    }
    for (const name of gone) {
      this.parts.delete(name);
      this.shown.delete(name);
    }
  }

  /** Renews what is no longer current. */
  refresh(isCurrent: (name: string, shown: Shown) => boolean): void {
    for (const [name, shown] of this.shown) if (!isCurrent(name, shown)) this.shown.delete(name);
  }

  get all(): Shown[] {
    return Array.from(this.parts.values(), (part) => {
      let shown = this.shown.get(part.name);
      if (shown === undefined) this.shown.set(part.name, (shown = this.show(part)));
      return shown;
    });
  }
}
