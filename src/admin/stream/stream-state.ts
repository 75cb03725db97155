import { Turns } from '../../common/turns.js';
import type { AdminEvent, AdminKeyed, AdminMoment } from '../contract.js';
import type { EventLog } from '../events/event-log.js';
import type { History } from '../series/history.js';
import type { Selection } from '../series/selection.js';
import { streamView } from '../views/breaker-view.js';
import { bulkheadView } from '../views/other-views.js';
import { type Parts, keyedIn } from '../views/parts.js';
import type { Views } from '../views/views.js';

/** How many parts are checked per delta, in rotation; so few that their JSON takes a small share of the time. */
const QUOTA = 125;

/** How many events a delta has at most. */
const MOST_EVENTS = 100;

const KINDS = ['breakers', 'bulkheads', 'rateLimits'] as const;
type Kind = (typeof KINDS)[number];

/** The JSON of changed parts by kind. */
type Changed = Record<Kind, string[]>;

function forEach<Key extends string, Value>(
  keys: readonly Key[],
  make: (key: Key) => Value,
): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<Key, Value>;
}

/** The state that the clients of the stream know, and the changes since. Made once for all of them. */
export class StreamState {
  /** The JSON that was sent last, by kind and name. */
  private readonly sent = forEach(KINDS, () => new Map<string, string>());
  /** The JSON of the fleet that was sent last; `undefined` until it is known. */
  private fleet: string | undefined = undefined;
  /** Breakers that have changed their state or override. */
  private readonly dirty = new Set<string>();
  private hand = 0;
  private sequence = 0;
  private stepAt = 0;

  constructor(
    private readonly parts: Parts,
    private readonly selection: Selection,
    private readonly views: Views,
    private readonly log: EventLog,
    private readonly history: History,
    private readonly moment: () => AdminMoment,
  ) {}

  /** A breaker that belongs into the next delta. */
  touch(name: string): void {
    if (this.dirty.size < 1_000) this.dirty.add(name);
  }

  /**
   * The JSON of the next delta; `undefined` when nothing has changed.
   *
   * @param whole whether to check all parts, not only some, and to read the fleet again
   */
  async delta(whole: boolean): Promise<string | undefined> {
    const fleet = await this.newsOfFleet(whole);
    const changed: Changed = forEach(KINDS, () => []);
    for (const name of [...this.dirty]) this.lookAtBreaker(name, changed);
    this.dirty.clear();
    const looks = this.looks(changed);
    const turns = new Turns();
    const count = whole ? looks.length : Math.min(QUOTA, looks.length);
    for (let looked = 0; looked < count; looked++) {
      if (turns.over) await turns.next();
      this.hand = (this.hand + 1) % looks.length;
      looks[this.hand]!();
    }
    const gone = forEach(KINDS, (kind) => this.forget(kind, this.selection[kind]));
    const { events, omitted } = this.news();
    const { at } = this.history.latest;
    const samples = at !== this.stepAt ? this.history.latest : undefined;
    this.stepAt = at;
    const silent =
      KINDS.every((kind) => changed[kind].length === 0) &&
      KINDS.every((kind) => gone[kind].length === 0) &&
      events.length === 0 &&
      fleet === undefined;
    if (silent && samples === undefined) return undefined;
    return joined({
      ...this.lists(changed),
      gone: JSON.stringify(gone),
      events: JSON.stringify(events),
      omitted: String(omitted),
      ...(samples !== undefined && { samples: JSON.stringify(samples), ...this.keyed() }),
      ...(fleet !== undefined && { fleet }),
      ...this.now(),
    });
  }

  /** The JSON of a delta without changes: a sign of life. */
  nothing(): string {
    const none = {
      ...forEach(KINDS, () => []),
      gone: forEach(KINDS, () => []),
      events: [],
      omitted: 0,
    };
    return JSON.stringify({ ...none, ...this.moment() });
  }

  /** The JSON of what the clients know now. */
  snapshot(): string {
    const { events } = this.log.since(0, MOST_EVENTS);
    return joined({
      ...this.lists(this.known()),
      events: JSON.stringify(events),
      ...this.keyed(),
      ...(this.views.fleet !== undefined && { fleet: this.fleet ?? 'null' }),
      ...this.now(),
    });
  }

  private keyed(): Record<keyof AdminKeyed, string> {
    const { breakers, bulkheads, rateLimits } = this.parts;
    return {
      keyedBreakers: String(keyedIn(breakers)),
      keyedBulkheads: String(keyedIn(bulkheads)),
      keyedRateLimits: String(keyedIn(rateLimits)),
    };
  }

  /** The JSON of the fleet, if it has changed. */
  private async newsOfFleet(afresh: boolean): Promise<string | undefined> {
    const { fleet } = this.views;
    if (fleet === undefined) return undefined;
    if (afresh) await fleet.lookAfresh();
    else fleet.look();
    const json = fleet.latest && JSON.stringify(fleet.latest);
    if (json === this.fleet) return undefined;
    this.fleet = json;
    return json;
  }

  private news(): { events: AdminEvent[]; omitted: number } {
    const { sequence } = this.log;
    const { events } = this.log.since(this.sequence, MOST_EVENTS);
    const omitted = sequence - this.sequence - events.length;
    this.sequence = sequence;
    return { events, omitted };
  }

  /** One function for each part: it checks whether the part has changed. */
  private looks(changed: Changed): (() => void)[] {
    const looks: (() => void)[] = [];
    for (const name of this.selection.breakers.keys()) {
      looks.push(() => this.lookAtBreaker(name, changed));
    }
    for (const [name, { part, group }] of this.selection.bulkheads) {
      const view = () => bulkheadView(part.snapshot(), group);
      looks.push(() => this.look('bulkheads', name, view, changed));
    }
    for (const [name, { part, group }] of this.selection.rateLimits) {
      const view = () => this.views.rateLimits.view(part, group);
      looks.push(() => this.look('rateLimits', name, view, changed));
    }
    return looks;
  }

  private lookAtBreaker(name: string, changed: Changed): void {
    const member = this.selection.breakerOf(name);
    if (member === undefined) return;
    const { part, group } = member;
    const view = () => streamView(this.views.breakers.view(part.snapshot(), group));
    this.look('breakers', name, view, changed);
  }

  private look(kind: Kind, name: string, view: () => object, changed: Changed): void {
    const json = JSON.stringify(view());
    if (this.sent[kind].get(name) === json) return;
    this.sent[kind].set(name, json);
    changed[kind].push(json);
  }

  private forget(kind: Kind, shown: ReadonlyMap<string, unknown>): string[] {
    const sent = this.sent[kind];
    const gone = [...sent.keys()].filter((name) => !shown.has(name));
    for (const name of gone) sent.delete(name);
    return gone;
  }

  private known(): Changed {
    return forEach(KINDS, (kind) => [...this.sent[kind].values()]);
  }

  private lists(parts: Changed): Record<Kind, string> {
    return forEach(KINDS, (kind) => `[${parts[kind].join(',')}]`);
  }

  private now(): Record<string, string> {
    const moment = Object.entries(this.moment());
    return Object.fromEntries(moment.map(([key, value]) => [key, JSON.stringify(value)]));
  }
}

/** An object of members that are JSON already. */
function joined(members: Readonly<Record<string, string>>): string {
  const list = Object.entries(members).map(([key, json]) => `"${key}":${json}`);
  return `{${list.join(',')}}`;
}
