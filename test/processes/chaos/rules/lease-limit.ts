import type { Entry, Phase } from '../entries.js';
import type { Rule } from '../book.js';

interface Lease {
  readonly from: string;
  readonly phase: string;
  until: number;
}

/** How long after its return an answer about a token may still be under way, milliseconds. */
const FORGET_AFTER = 60_000;

/**
 * There are never more valid leases than allowed. A lease is certainly valid from when the instance hears of it until it gives
 * it back, or until its time is over, counted from when it was asked for. So no tolerance is needed.
 *
 * Leases do not outlive the data of the store: those from before a loss are not counted with those from after it. Probes of
 * two phases of a circuit are not counted together either: the end of a phase ends its leases.
 */
export class LeaseLimit implements Rule {
  readonly title: string;
  readonly expected: string;
  private readonly live = new Map<string, Lease>();
  private readonly returned = new Map<string, number>();
  private losing = false;
  private lostAt = -Infinity;
  private granted = 0;
  private most = 0;

  constructor(
    private readonly name: string,
    private readonly limit: number,
  ) {
    this.title = `leases of ${name}`;
    this.expected = `at most ${limit} at any time while the store keeps its data`;
  }

  see(entry: Entry): string | undefined {
    switch (entry.type) {
      case 'losing':
        this.losing = true;
        return;
      case 'lost':
        this.losing = false;
        this.lostAt = entry.at;
        this.live.clear();
        return;
      case 'prolonged':
        if (entry.name !== this.name) return;
        for (const token of entry.tokens) {
          const lease = this.live.get(token);
          if (lease !== undefined) lease.until = entry.until;
        }
        return;
      case 'returned':
        if (entry.name !== this.name) return;
        this.live.delete(entry.token);
        this.returned.set(entry.token, entry.at);
        return;
      case 'leased':
        return entry.name === this.name ? this.add(entry) : undefined;
      default:
        return;
    }
  }

  get tried(): number {
    return this.granted;
  }

  found(): string {
    return `${this.granted} leases, ${this.most} at a time`;
  }

  /** Valid leases, by holder. */
  holders(now: number): string[] {
    this.drop(now);
    return [...this.live.values()].map(({ from }) => from);
  }

  private add(entry: Extract<Entry, { type: 'leased' }>): string | undefined {
    const { at, asked, token, until, from } = entry;
    this.drop(at);
    const isOld = this.losing || asked < this.lostAt || asked < (this.returned.get(token) ?? 0);
    if (isOld) return undefined;
    const phase = phaseKey(entry.phase);
    this.live.set(token, { from, phase, until });
    const together = [...this.live.values()].filter((other) => other.phase === phase).length;
    this.granted += 1;
    this.most = Math.max(this.most, together);
    if (together <= this.limit) return undefined;
    return `${together} leases at a time: ${[...this.live.keys()].join(', ')}`;
  }

  private drop(now: number): void {
    for (const [token, { until }] of this.live) if (until <= now) this.live.delete(token);
    for (const [token, at] of this.returned) {
      if (at > now - FORGET_AFTER) break;
      this.returned.delete(token);
    }
  }
}

function phaseKey(phase: Phase | undefined): string {
  return phase === undefined ? '' : `${phase.incarnation}/${phase.epoch}`;
}
