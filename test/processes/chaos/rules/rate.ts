import type { Entry } from '../entries.js';
import { RATES, type RateName } from '../limits.js';
import type { Rule } from '../book.js';
import { Windows } from './windows.js';

interface Turn {
  readonly least: number;
  readonly most: number;
}

/**
 * The calls that the store allows are within limit and burst in every window. It decides between the question and the answer;
 * a turn is `waitMs` later, rounded up. A store that has lost its data starts with a whole burst.
 */
export class StoreRate implements Rule {
  readonly title: string;
  readonly expected: string;
  private windows: Windows;
  private turns: Turn[] = [];
  private losing = false;
  private lostAt = -Infinity;
  private calls = 0;
  private fullest = 0;

  constructor(private readonly name: RateName) {
    const { limit, burst } = RATES[name];
    this.title = `turns of ${name} by the store`;
    this.expected = `at most ${limit} per second and ${burst} at once, in every window, while it keeps its data`;
    this.windows = this.anew();
  }

  see(entry: Entry): string | undefined {
    if (entry.type === 'losing') this.losing = true;
    if (entry.type === 'lost') {
      this.losing = false;
      this.lostAt = entry.at;
      this.turns = [];
      this.windows = this.anew();
    }
    if (entry.type === 'allowed' && entry.name === this.name) {
      const { asked, at, waitMs } = entry;
      if (this.losing || asked < this.lostAt) return;
      const rounding = waitMs > 0 ? 1 : 0;
      this.turns.push({ least: asked + waitMs - rounding, most: at + waitMs });
      this.turns.sort((one, other) => one.most - other.most);
    }
    return this.pass(entry.at);
  }

  get tried(): number {
    return this.calls;
  }

  found(): string {
    return `${this.calls} calls, the fullest window ${Math.round(this.fullest * 100)} % full`;
  }

  private pass(now: number): string | undefined {
    let breach: string | undefined;
    for (let [turn] = this.turns; turn !== undefined && turn.most <= now; [turn] = this.turns) {
      this.turns.shift();
      this.calls += 1;
      breach = this.windows.add(turn.least, turn.most) ?? breach;
      this.fullest = Math.max(this.fullest, this.windows.fullest);
    }
    return breach;
  }

  private anew(): Windows {
    const { limit, burst } = RATES[this.name];
    return new Windows(limit / 1_000, burst);
  }
}
