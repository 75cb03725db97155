import { batch } from '@preact/signals';
import type {
  AdminStreamBreaker,
  AdminDelta,
  AdminEvent,
  AdminFleet,
  AdminKeyed,
  AdminMoment,
  AdminRateLimit,
  AdminSeries,
  AdminSnapshot,
} from '../../src/admin/contract.js';
import type { Message } from './connection.js';
import { diagnosis, factsOf, limitHealth } from './describe.js';
import { Histories } from './histories.js';
import type { Bulkhead, Dependency, RateLimit } from './model.js';
import { Shelf } from './shelf.js';

/** As many events as the page remembers. */
const MOST_EVENTS = 1_000;

/** The state of the page that the stream writes. */
export interface Target {
  dependencies(all: readonly Dependency[]): void;
  bulkheads(all: readonly Bulkhead[]): void;
  rateLimits(all: readonly RateLimit[]): void;
  /** How many there are of each; with very many keys, more than the stream carries. */
  totals(all: Record<'dependencies' | 'bulkheads' | 'rateLimits', number>): void;
  fleet(fleet: AdminFleet | null | undefined): void;
  /** The newest first. */
  events(all: readonly AdminEvent[]): void;
  moment(moment: AdminMoment): void;
  /** Options may have changed. */
  reconfigured(): void;
}

/** Makes the state of the page from the messages of the stream: a snapshot, series, then changes. */
export class Reader {
  readonly histories = new Histories();
  private readonly breakers = new Shelf((breaker: AdminStreamBreaker) => this.show(breaker));
  private readonly bulkheads = new Shelf((bulkhead: Bulkhead) => bulkhead);
  private readonly rateLimits = new Shelf((limit: AdminRateLimit) => this.showLimit(limit));
  private events: readonly AdminEvent[] = [];
  private keyed: AdminKeyed = { keyedBreakers: 0, keyedBulkheads: 0, keyedRateLimits: 0 };
  private instance = '';

  constructor(private readonly target: Target) {}

  read({ event, data }: Message): void {
    const message: unknown = JSON.parse(data);
    batch(() => {
      if (event === 'snapshot') this.snapshot(message as AdminSnapshot);
      else if (event === 'series') this.series(message as readonly AdminSeries[]);
      else if (event === 'delta') this.delta(message as AdminDelta);
    });
  }

  /** A breaker as the page shows it. */
  show(breaker: AdminStreamBreaker): Dependency {
    const history = this.histories.of('breaker', breaker.name);
    return { ...breaker, ...diagnosis(breaker), facts: factsOf(breaker), history };
  }

  /** A rate limit as the page shows it. */
  showLimit(limit: AdminRateLimit): RateLimit {
    const history = this.histories.of('rateLimit', limit.name);
    return { ...limit, health: limitHealth(limit), history };
  }

  private snapshot(snapshot: AdminSnapshot): void {
    this.histories.clear();
    for (const shelf of [this.breakers, this.bulkheads, this.rateLimits]) shelf.clear();
    this.breakers.update(snapshot.breakers);
    this.bulkheads.update(snapshot.bulkheads);
    this.rateLimits.update(snapshot.rateLimits);
    this.count(snapshot);
    // A restarted server counts its events from the beginning.
    if (snapshot.instance !== this.instance) this.events = [];
    this.instance = snapshot.instance;
    this.target.fleet(snapshot.fleet);
    this.hear(snapshot.events);
    this.target.reconfigured();
    this.tell(snapshot);
  }

  private series(all: readonly AdminSeries[]): void {
    for (const series of all) this.histories.add(series);
    this.showHistories();
    this.tell();
  }

  private delta(delta: AdminDelta): void {
    this.breakers.update(delta.breakers, delta.gone.breakers);
    this.bulkheads.update(delta.bulkheads, delta.gone.bulkheads);
    this.rateLimits.update(delta.rateLimits, delta.gone.rateLimits);
    if (delta.samples !== undefined) {
      this.count(delta);
      this.histories.step(delta.samples.at, delta.samples.items);
      this.showHistories();
    }
    if (delta.fleet !== undefined) this.target.fleet(delta.fleet);
    this.hear(delta.events);
    if (delta.events.some(({ type }) => type === 'configuration')) this.target.reconfigured();
    this.tell(delta);
  }

  private count(keyed: Partial<AdminKeyed>): void {
    const { keyedBreakers = 0, keyedBulkheads = 0, keyedRateLimits = 0 } = keyed;
    this.keyed = { keyedBreakers, keyedBulkheads, keyedRateLimits };
  }

  /** Parts without calls have no history before or after a step: they stay as they are. */
  private showHistories(): void {
    const { histories } = this;
    this.breakers.refresh((name, { history }) => history === histories.of('breaker', name));
    this.rateLimits.refresh((name, { history }) => history === histories.of('rateLimit', name));
  }

  private hear(news: readonly AdminEvent[]): void {
    const [newest] = this.events;
    const fresh = news.filter(({ sequence }) => newest === undefined || sequence > newest.sequence);
    if (fresh.length === 0) return;
    this.events = [...[...fresh].reverse(), ...this.events].slice(0, MOST_EVENTS);
  }

  private tell(moment?: AdminMoment): void {
    const { target, keyed } = this;
    if (moment !== undefined) target.moment(moment);
    const { all: breakers } = this.breakers;
    const { all: bulkheads } = this.bulkheads;
    const { all: limits } = this.rateLimits;
    target.dependencies(breakers);
    target.bulkheads(bulkheads);
    target.rateLimits(limits);
    target.totals({
      dependencies: totalOf(breakers, keyed.keyedBreakers),
      bulkheads: totalOf(bulkheads, keyed.keyedBulkheads),
      rateLimits: totalOf(limits, keyed.keyedRateLimits),
    });
    target.events(this.events);
  }
}

/** @param keyed how many there are by key */
function totalOf(shown: readonly { readonly group?: string }[], keyed: number): number {
  const shownByKey = shown.filter(({ group }) => group !== undefined).length;
  return shown.length - shownByKey + Math.max(shownByKey, keyed);
}
