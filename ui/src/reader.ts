import { batch } from '@preact/signals';
import type {
  AdminBreaker,
  AdminDelta,
  AdminEvent,
  AdminMoment,
  AdminSeries,
  AdminSnapshot,
} from '../../src/admin/contract.js';
import type { Message } from './connection.js';
import { diagnosis, factsOf } from './describe.js';
import { Histories } from './histories.js';
import type { Bulkhead, Dependency } from './model.js';

/** As many events as the page remembers. */
const MOST_EVENTS = 1_000;

/** The state of the page that the stream writes. */
export interface Target {
  dependencies(all: readonly Dependency[], total: number): void;
  bulkheads(all: readonly Bulkhead[]): void;
  /** The newest first. */
  events(all: readonly AdminEvent[]): void;
  moment(moment: AdminMoment): void;
  /** Options may be other ones than before. */
  reconfigured(): void;
}

/** Makes the state of the page from the messages of the stream: a snapshot, series, then what changes. */
export class Reader {
  private readonly breakers = new Map<string, AdminBreaker>();
  private readonly bulkheads = new Map<string, Bulkhead>();
  private readonly shown = new Map<string, Dependency>();
  private events: readonly AdminEvent[] = [];
  private keyedBreakers = 0;
  private instance = '';
  readonly histories = new Histories();

  constructor(private readonly target: Target) {}

  read({ event, data }: Message): void {
    const message: unknown = JSON.parse(data);
    batch(() => {
      if (event === 'snapshot') this.snapshot(message as AdminSnapshot);
      else if (event === 'series') this.series(message as readonly AdminSeries[]);
      else if (event === 'delta') this.delta(message as AdminDelta);
    });
  }

  private snapshot(snapshot: AdminSnapshot): void {
    for (const map of [this.breakers, this.bulkheads, this.shown]) map.clear();
    this.histories.clear();
    for (const breaker of snapshot.breakers) this.breakers.set(breaker.name, breaker);
    for (const bulkhead of snapshot.bulkheads) this.bulkheads.set(bulkhead.name, bulkhead);
    this.keyedBreakers = snapshot.keyedBreakers;
    // A server that has started again counts its events anew.
    if (snapshot.instance !== this.instance) this.events = [];
    this.instance = snapshot.instance;
    this.hear(snapshot.events);
    this.target.reconfigured();
    this.tell(snapshot);
  }

  private series(all: readonly AdminSeries[]): void {
    for (const series of all) this.histories.add(series);
    this.shown.clear();
    this.tell();
  }

  private delta(delta: AdminDelta): void {
    for (const breaker of delta.breakers) {
      this.breakers.set(breaker.name, breaker);
      this.shown.delete(breaker.name);
    }
    for (const bulkhead of delta.bulkheads) this.bulkheads.set(bulkhead.name, bulkhead);
    for (const name of delta.gone.breakers) {
      this.breakers.delete(name);
      this.shown.delete(name);
    }
    for (const name of delta.gone.bulkheads) this.bulkheads.delete(name);
    if (delta.samples !== undefined) {
      this.histories.step(delta.samples.at, delta.samples.items);
      this.shown.clear();
    }
    this.hear(delta.events);
    if (delta.events.some(({ type }) => type === 'configuration')) this.target.reconfigured();
    this.tell(delta);
  }

  private hear(news: readonly AdminEvent[]): void {
    const [newest] = this.events;
    const fresh = news.filter(({ sequence }) => newest === undefined || sequence > newest.sequence);
    if (fresh.length === 0) return;
    this.events = [...[...fresh].reverse(), ...this.events].slice(0, MOST_EVENTS);
  }

  private tell(moment?: AdminMoment): void {
    if (moment !== undefined) this.target.moment(moment);
    const all = Array.from(this.breakers.values(), (breaker) => this.show(breaker));
    const keyed = all.filter(({ group }) => group !== undefined).length;
    this.target.dependencies(all, all.length - keyed + Math.max(keyed, this.keyedBreakers));
    this.target.bulkheads([...this.bulkheads.values()]);
    this.target.events(this.events);
  }

  private show(breaker: AdminBreaker): Dependency {
    const known = this.shown.get(breaker.name);
    if (known !== undefined) return known;
    const history = this.histories.of('breaker', breaker.name);
    const shown = { ...breaker, ...diagnosis(breaker), facts: factsOf(breaker), history };
    this.shown.set(breaker.name, shown);
    return shown;
  }
}
