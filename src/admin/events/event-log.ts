import type { ResilienceEvent } from '../../telemetry/events.js';
import type { AdminEvent } from '../contract.js';
import { type EventEntry, entryOf, isNews, isRare, likeness } from './event-entry.js';

/** Similar events within this time become one, milliseconds. */
const TOGETHER = 1_000;

/** How many groups of similar events are gathered at a time. */
const MOST_GATHERED = 5_000;

/** Further events like one that has been recorded. */
interface Gathered {
  readonly since: number;
  more: number;
  latest: ResilienceEvent;
  at: number;
}

/**
 * The latest events, numbered. The first of several similar ones is recorded at once, the others as one a second later.
 * Changes of states, overrides and configurations are kept separately, so that a storm of other events does not push them out.
 */
export class EventLog {
  private readonly rare: AdminEvent[] = [];
  private readonly others: AdminEvent[] = [];
  private readonly gathered = new Map<string, Gathered>();
  private last = 0;

  /** @param capacity how many events are kept in each of the two lists */
  constructor(
    private readonly capacity: number,
    private readonly now: () => number,
  ) {}

  /** The number of the latest event. */
  get sequence(): number {
    this.flush();
    return this.last;
  }

  record(event: ResilienceEvent): void {
    if (!isNews(event)) return;
    const at = this.now();
    if (isRare(event.type)) return this.add(entryOf(event, at));
    const key = likeness(event);
    const known = this.gathered.get(key);
    if (known !== undefined && at - known.since < TOGETHER) {
      known.more += 1;
      known.latest = event;
      known.at = at;
      return;
    }
    if (known !== undefined) this.release(key, known);
    if (this.gathered.size >= MOST_GATHERED) this.flush(Infinity);
    this.gathered.set(key, { since: at, more: 0, latest: event, at });
    this.add(entryOf(event, at));
  }

  /** Adds an entry that is not an event of the library. */
  add(entry: EventEntry): void {
    this.last += 1;
    const events = isRare(entry.type) ? this.rare : this.others;
    events.push({ sequence: this.last, ...entry });
    // In one go, since shift() is slow for a long list.
    if (events.length < 2 * this.capacity) return;
    events.splice(0, events.length - this.capacity);
  }

  /** The events after `sequence`, oldest first; only the latest `most`. */
  since(sequence: number, most = Infinity): { events: AdminEvent[]; incomplete: boolean } {
    this.flush();
    const rare = after(this.rare, sequence, this.capacity);
    const others = after(this.others, sequence, this.capacity);
    const all = [...rare, ...others].sort((one, other) => one.sequence - other.sequence);
    const events = all.length > most ? latest(rare, others, most) : all;
    return { events, incomplete: events.length < this.last - Math.max(sequence, 0) };
  }

  /** Records the events gathered during a second. */
  private flush(now = this.now()): void {
    for (const [key, gathered] of this.gathered) {
      if (now - gathered.since >= TOGETHER) this.release(key, gathered);
    }
  }

  private release(key: string, { more, latest, at }: Gathered): void {
    this.gathered.delete(key);
    if (more === 0) return;
    const entry = entryOf(latest, at);
    this.add(more === 1 ? entry : { ...entry, count: more });
  }
}

/** As many as fit: rare ones first, since nothing else reports them; in their order. */
function latest(
  rare: readonly AdminEvent[],
  others: readonly AdminEvent[],
  most: number,
): AdminEvent[] {
  const kept = rare.slice(-most);
  const room = most - kept.length;
  const rest = room > 0 ? others.slice(-room) : [];
  return [...kept, ...rest].sort((one, other) => one.sequence - other.sequence);
}

/** The events after a number, at most the latest `most`; found by halving. */
function after(events: readonly AdminEvent[], sequence: number, most: number): AdminEvent[] {
  let low = Math.max(0, events.length - most);
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (events[middle]!.sequence > sequence) high = middle;
    else low = middle + 1;
  }
  return events.slice(low);
}
