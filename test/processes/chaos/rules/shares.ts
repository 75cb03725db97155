import type { Entry } from '../entries.js';
import { PLACES, RATES } from '../limits.js';
import type { Rule } from '../book.js';
import { Windows } from './windows.js';

/** Within this time after the store was given up, a call that was decided before has begun, milliseconds. */
const UNDER_WAY = 200;

/** An answer that took no longer than this has certainly reached its instance, milliseconds; a later one may not have. */
const HEARD = 100;

/** An instance that goes on without the store. */
interface Lone {
  readonly since: number;
  readonly rate: Windows;
  readonly running: Map<string, Set<number>>;
  /** Numbers of answers of the store that were under way, by subject: as many calls may run because of them. */
  readonly answers: Map<string, number>;
}

/** An instance without the store takes its share of limits and places, and no more. */
export class Shares implements Rule {
  readonly title = 'instances without the store';
  readonly expected = 'each takes its share of a limit and of places, and no more';
  private readonly living = new Map<string, number[]>();
  private readonly lone = new Map<string, Lone>();
  private times = 0;
  private calls = 0;

  see(entry: Entry): string | undefined {
    const { from } = entry;
    switch (entry.type) {
      case 'living': {
        const heard = entry.at - entry.asked < HEARD;
        const former = heard ? [] : (this.living.get(from) ?? []);
        this.living.set(from, [...former, entry.instances]);
        this.lone.delete(from); // it divides again, and is about to report that it has recovered
        return;
      }
      case 'degraded': {
        this.times += 1;
        const { limit, burst } = RATES.limited;
        const rate = new Windows(
          limit / 1_000 / this.among(from),
          Math.max(1, burst / this.among(from)),
        );
        this.lone.set(from, { since: entry.at, rate, running: new Map(), answers: new Map() });
        return;
      }
      case 'recovered':
      case 'stepped':
        this.lone.delete(from);
        return;
      case 'leased':
      case 'allowed': {
        const answers = this.lone.get(from)?.answers;
        answers?.set(entry.name, (answers.get(entry.name) ?? 0) + 1);
        return;
      }
      case 'begun':
        return this.begun(entry);
      case 'ended':
        this.lone.get(from)?.running.get(entry.name)?.delete(entry.id);
        return;
      default:
        return;
    }
  }

  get tried(): number {
    return this.calls;
  }

  found(): string {
    return `${this.times} times, ${this.calls} calls`;
  }

  private begun({ from, at, name, id }: Extract<Entry, { type: 'begun' }>): string | undefined {
    const lone = this.lone.get(from);
    if (lone === undefined || at < lone.since + UNDER_WAY) return;
    const answers = lone.answers.get(name) ?? 0;
    if (answers > 0) {
      lone.answers.set(name, answers - 1);
      return;
    }
    if (name === 'limited') {
      this.calls += 1;
      const breach = lone.rate.add(at, at);
      return breach && `${from}, limited: ${breach}`;
    }
    if (name !== 'places' && name !== 'halls') return;
    this.calls += 1;
    const running = lone.running.get(name) ?? new Set();
    lone.running.set(name, running.add(id));
    const share = Math.max(1, Math.floor(PLACES[name].maxConcurrent / this.among(from)));
    if (running.size <= share) return;
    return `${from}, ${name}: ${running.size} at a time, its share is ${share}`;
  }

  /** The fewest instances that it may divide among. */
  private among(instance: string): number {
    return Math.max(1, Math.min(...(this.living.get(instance) ?? [1])));
  }
}
