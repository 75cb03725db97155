import { EventLoopLag } from './event-loop.js';
import { Names } from './names.js';
import { Readings } from './readings.js';
import { type Distribution, type MakeDistribution, Recorder } from './recorder.js';
import type { Sources } from './sources.js';
import { beginBreaker, beginBulkhead, beginRateLimit, beginSubject } from './zeros.js';

/** Makes the series of a part before its first call. */
const BEGIN = { breaker: beginBreaker, bulkhead: beginBulkhead, 'rate limit': beginRateLimit };

/** Measures one application from {@link listen} to {@link stop}. */
export class Meters<D extends Distribution = Distribution> {
  readonly recorder: Recorder<D>;
  private readonly names: Names;
  private readonly lag = new EventLoopLag();
  private readonly begun = new Set<string>();
  private unsubscribe = (): void => {};
  private pass: Promise<Readings> | undefined = undefined;

  /** @param maxNames how many names that are not known at bootstrap have series of their own */
  constructor(
    private readonly sources: Sources,
    maxNames: number,
    make: MakeDistribution<D>,
  ) {
    this.names = new Names(maxNames);
    this.recorder = new Recorder<D>(this.names, make);
  }

  /** To be called before the first call, so that none is missed. */
  listen(): void {
    this.unsubscribe = this.recorder.listen(this.sources.events);
  }

  /** To be called when all that is known at bootstrap is known: its series begin with 0. */
  start(): void {
    this.lag.start();
    const { service, breakers, bulkheads, rateLimits } = this.sources;
    for (const { name } of service.descriptions()) this.names.declare(name);
    for (const { name } of breakers.list({ keys: false })) this.names.declare(name);
    for (const { name } of bulkheads.list({ keys: false })) this.names.declare(name);
    for (const { name } of rateLimits.list({ keys: false })) this.names.declare(name);
    this.beginSubjects();
    for (const { name } of breakers.list({ keys: false })) this.begin('breaker', name);
    for (const { name } of bulkheads.list({ keys: false })) this.begin('bulkhead', name);
    for (const { name } of rateLimits.list({ keys: false })) this.begin('rate limit', name);
  }

  stop(): void {
    this.unsubscribe();
    this.lag.stop();
  }

  /** Reads all parts, in turns. Whoever asks while it reads gets the same readings. */
  read(): Promise<Readings> {
    this.pass ??= this.readAll().finally(() => (this.pass = undefined));
    return this.pass;
  }

  private async readAll(): Promise<Readings> {
    const readings = new Readings();
    this.beginSubjects();
    for await (const breaker of this.sources.breakers) {
      readings.addBreaker(this.begin('breaker', breaker.name), breaker.reading());
    }
    for await (const bulkhead of this.sources.bulkheads) {
      readings.addBulkhead(this.begin('bulkhead', bulkhead.name), bulkhead.snapshot());
    }
    for await (const limit of this.sources.rateLimits) {
      readings.addRateLimit(this.begin('rate limit', limit.name), limit.snapshot());
    }
    if (this.sources.fleet !== null) readings.addFleet(this.sources.fleet);
    for (const [quantile, seconds] of this.lag.take()) readings.addLag(quantile, seconds);
    return readings;
  }

  private beginSubjects(): void {
    for (const description of this.sources.service.descriptions()) {
      const label = this.names.of(description.name);
      if (this.isNew('subject', label)) beginSubject(description, label, this.recorder);
    }
  }

  private begin(kind: keyof typeof BEGIN, name: string): string {
    const label = this.names.of(name);
    if (this.isNew(kind, label)) BEGIN[kind](label, this.recorder);
    return label;
  }

  private isNew(kind: string, label: string): boolean {
    const key = `${kind} ${label}`;
    if (this.begun.has(key)) return false;
    this.begun.add(key);
    return true;
  }
}
