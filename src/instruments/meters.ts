import { takeTurns } from '../common/turns.js';
import type { PipelineDescription } from '../pipeline/description.js';
import type { BreakerReading } from '../policies/circuit-breaker/snapshot.js';
import type { RateLimitSnapshot } from '../policies/rate-limit/snapshot.js';
import { EventLoopLag } from './event-loop.js';
import type { InstrumentKey, KeysOf } from './instruments.js';
import { Names } from './names.js';
import { PartCounters, isPartKey } from './part-counters.js';
import { Readings } from './readings.js';
import { type Distribution, type MakeDistribution, Recorder } from './recorder.js';
import type { Count, Series } from './series.js';
import type { MeasuredBreaker, MeasuredRateLimit, Sources } from './sources.js';
import { beginBreaker, beginBulkhead, beginRateLimit, beginSubject } from './zeros.js';

/** Makes the series of a part before its first call. */
const BEGIN = { breaker: beginBreaker, bulkhead: beginBulkhead, 'rate limit': beginRateLimit };

/** Measures one application from {@link listen} to {@link stop}. */
export class Meters<D extends Distribution = Distribution> {
  readonly recorder: Recorder<D>;
  private readonly names: Names;
  private readonly parts = new PartCounters();
  private readonly lag = new EventLoopLag();
  private readonly begun = new Set<string>();
  private unsubscribe = (): void => {};
  private pass: Promise<Readings> | undefined = undefined;

  /** @param maxNames how many names that are unknown at bootstrap get series of their own */
  constructor(
    private readonly sources: Sources,
    maxNames: number,
    make: MakeDistribution<D>,
  ) {
    this.names = new Names(maxNames, () => this.namesAtBootstrap());
    this.recorder = new Recorder<D>(this.names, make);
  }

  /** All counters. Those that parts keep themselves are as of the last {@link read}. */
  get counters(): Readonly<Record<KeysOf<'counter'>, Series<Count>>> {
    return { ...this.recorder.counters, ...this.parts.series };
  }

  /** Call it before the first protected call, so that none is missed. */
  listen(): void {
    const { events, breakers, rateLimits } = this.sources;
    const subscriptions = [
      this.recorder.listen(events),
      // Their counts since the last read would be lost.
      breakers.onGone((breaker) => this.addBreaker(breaker)),
      rateLimits.onGone((limit) => this.addRateLimit(limit)),
    ];
    this.unsubscribe = () => {
      for (const unsubscribe of subscriptions) unsubscribe();
    };
  }

  /** Call it at the end of bootstrap: the series of everything that is known by then begin with 0. */
  start(): void {
    this.lag.start();
    this.names.start();
    for (const description of this.sources.service.descriptions()) this.beginSubject(description);
    const { breakers, bulkheads, rateLimits } = this.sources;
    for (const { name } of breakers.list({ keys: false })) this.begin('breaker', name);
    for (const { name } of bulkheads.list({ keys: false })) this.begin('bulkhead', name);
    for (const { name } of rateLimits.list({ keys: false })) this.begin('rate limit', name);
  }

  stop(): void {
    this.unsubscribe();
    this.lag.stop();
  }

  /** Reads all parts, in turns. Requests during a read get the same readings. */
  read(): Promise<Readings> {
    this.pass ??= this.readAll().finally(() => (this.pass = undefined));
    return this.pass;
  }

  /** Resolves when no read is under way: its readings are older than calls that have ended meanwhile. */
  async settled(): Promise<void> {
    await this.pass?.catch(() => {});
  }

  /** Skips what the parts have counted so far for that instrument without it being read. */
  skipUnread(key: InstrumentKey): void {
    if (isPartKey(key)) this.parts.skip(key, this.sources);
  }

  private async readAll(): Promise<Readings> {
    const readings = new Readings();
    // Each time, since policies may have been switched on.
    for await (const description of takeTurns(this.sources.service.descriptions())) {
      this.beginSubject(description);
    }
    for await (const breaker of this.sources.breakers) {
      const { label, reading } = this.addBreaker(breaker);
      readings.addBreaker(label, reading);
    }
    for await (const bulkhead of this.sources.bulkheads) {
      readings.addBulkhead(this.begin('bulkhead', bulkhead.name), bulkhead.snapshot());
    }
    for await (const limit of this.sources.rateLimits) {
      const { label, snapshot } = this.addRateLimit(limit);
      readings.addRateLimit(label, snapshot);
    }
    if (this.sources.fleet !== null) readings.addFleet(this.sources.fleet);
    for (const [quantile, seconds] of this.lag.take()) readings.addLag(quantile, seconds);
    return readings;
  }

  private addBreaker(breaker: MeasuredBreaker): { label: string; reading: BreakerReading } {
    const label = this.begin('breaker', breaker.name);
    const reading = breaker.reading();
    this.parts.addBreaker(label, breaker, reading);
    return { label, reading };
  }

  private addRateLimit(limit: MeasuredRateLimit): { label: string; snapshot: RateLimitSnapshot } {
    const label = this.begin('rate limit', limit.name);
    const snapshot = limit.snapshot();
    this.parts.addRateLimit(label, limit, snapshot);
    return { label, snapshot };
  }

  private *namesAtBootstrap(): Iterable<string> {
    const { service, breakers, bulkheads, rateLimits } = this.sources;
    for (const { name } of service.descriptions()) yield name;
    for (const parts of [breakers, bulkheads, rateLimits]) {
      for (const { name } of parts.list({ keys: false })) yield name;
    }
  }

  private beginSubject(description: PipelineDescription): void {
    beginSubject(description, this.names.of(description.name), this.recorder);
  }

  private begin(kind: keyof typeof BEGIN, name: string): string {
    const label = this.names.of(name);
    const key = `${kind} ${label}`;
    if (!this.begun.has(key)) BEGIN[kind](label, this.recorder);
    this.begun.add(key);
    return label;
  }
}
