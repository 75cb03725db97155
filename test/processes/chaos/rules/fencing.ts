import type { Entry, Phase } from '../entries.js';
import type { Rule } from '../book.js';

/** The history of an incarnation of a circuit: each epoch that was newer than all before it, with the time. */
type Epochs = { readonly epoch: number; readonly at: number }[];

interface Lease {
  readonly phase: Phase;
  /** When it has certainly ended. */
  readonly over: number;
}

/** Late steps change nothing, and no circuit goes back to an older epoch. */
export class Fencing implements Rule {
  readonly title = 'fencing';
  readonly expected = 'no late trip, no late outcome of a probe, no older epoch is taken';
  private readonly epochs = new Map<string, Epochs>();
  private readonly leases = new Map<string, Lease>();
  private steps = 0;
  private answers = 0;

  see(entry: Entry): string | undefined {
    switch (entry.type) {
      case 'seen':
        return this.answer(entry);
      case 'leased': {
        const { phase, token, at, until, asked } = entry;
        if (phase !== undefined) this.leases.set(token, { phase, over: at + until - asked });
        return;
      }
      case 'lost': // the clock of the store may have been moved
        this.leases.clear();
        return;
      case 'tripped':
        return this.tripped(entry);
      case 'settled':
        return this.settled(entry);
      default:
        return;
    }
  }

  get tried(): number {
    return this.answers;
  }

  found(): string {
    return `${this.steps} trips and outcomes taken, ${this.answers} answers`;
  }

  /** A trip follows on the state that the instance knew, or begins a circuit that the store did not know. */
  private tripped({ from, name, known, then }: Extract<Entry, { type: 'tripped' }>) {
    this.steps += 1;
    const former = known.incarnation === then.incarnation ? known.epoch : 0;
    if (then.epoch === former + 1) return;
    return `${from} trips ${name} at epoch ${former}, and it is at ${then.epoch} then`;
  }

  /** An outcome counts in the phase of its lease, and may end that phase. */
  private settled({ name, token, asked, from, then }: Extract<Entry, { type: 'settled' }>) {
    this.steps += 1;
    const lease = this.leases.get(token);
    if (lease === undefined) return;
    this.leases.delete(token);
    if (asked > lease.over) return `${from} settles ${token} of ${name} after its lease`;
    const { epoch, incarnation } = lease.phase;
    const follows = then.epoch === epoch || then.epoch === epoch + 1;
    if (follows && incarnation === then.incarnation) return;
    return `${from} settles ${token} of ${name} at epoch ${epoch}, and it is at ${then.epoch} then`;
  }

  private answer({ name, phase, asked, at, from }: Extract<Entry, { type: 'seen' }>) {
    if (phase.incarnation === '') return;
    this.answers += 1;
    const newer = this.newerThan(name, phase, asked);
    if (newer !== undefined) {
      return `${from} is told epoch ${phase.epoch} of ${name}, although it is at ${newer}`;
    }
    const key = keyOf(name, phase);
    const epochs = this.epochs.get(key) ?? [];
    this.epochs.set(key, epochs);
    if ((epochs.at(-1)?.epoch ?? -1) < phase.epoch) epochs.push({ epoch: phase.epoch, at });
    return;
  }

  /** A newer epoch of the same incarnation that some instance had heard of before `asked`. */
  private newerThan(name: string, phase: Phase, asked: number): number | undefined {
    const epochs = this.epochs.get(keyOf(name, phase)) ?? [];
    return epochs.find(({ epoch, at }) => epoch > phase.epoch && at < asked)?.epoch;
  }
}

function keyOf(name: string, { incarnation }: Phase): string {
  return `${name} ${incarnation}`;
}
