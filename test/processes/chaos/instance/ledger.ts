import { openSync, writeSync } from 'node:fs';
import { type Fact, machineNow } from '../entries.js';

/** Writes down events at once: a line that is written survives the death of its process. */
export class Ledger {
  private readonly file: number;

  constructor(
    path: string,
    private readonly from: string,
  ) {
    this.file = openSync(path, 'a');
  }

  write(fact: Fact): void {
    writeSync(this.file, `${JSON.stringify({ at: machineNow(), from: this.from, ...fact })}\n`);
  }

  wrong(what: string): void {
    this.write({ type: 'wrong', what });
  }
}
