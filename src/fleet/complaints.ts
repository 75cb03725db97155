/** How many different complaints are logged. */
const TOLD = 20;

/** Logs each complaint once. */
export class Complaints {
  private readonly told = new Set<string>();

  constructor(private readonly log: (message: string) => void) {}

  add(message: string): void {
    if (this.told.has(message) || this.told.size >= TOLD) return;
    this.told.add(message);
    this.log(message);
  }
}
