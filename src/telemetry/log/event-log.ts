import { Logger } from '@nestjs/common';
import type { Clock, Timer } from '../../common/clock.js';
import { look } from '../../common/outcomes/look.js';
import type { QuietLogger } from '../../common/quiet-logger.js';
import type { RejectedEvent, StateChangeEvent } from '../events.js';
import type { ResilienceEvents } from '../resilience-events.js';
import { LineLimit, SECOND } from './line-limit.js';
import { type CircuitFacts, type LogLine, type LoggedEvent, isTrial, lineOf } from './log-line.js';
import type { LogSettings } from './log-options.js';

/** The dependencies of the log of events. */
export interface EventLogHost {
  readonly events: ResilienceEvents;
  readonly clock: Clock;
  readonly logger: QuietLogger;
  readonly settings: LogSettings;
  /** Whether the logger accepts objects; checked for each line, since applications change their logger. */
  takesFields(): boolean;
  /** The breaker of that name; `undefined` when it no longer exists. */
  factsOf(name: string): CircuitFacts | undefined;
}

/**
 * Logs openings and recoveries of circuits, overrides, configuration changes, store failures, and a sample of the
 * rejections. In a storm it writes a limited number of lines, and once per second how many were left out. When enough
 * rejections of a second are logged, it stops listening to them, so that no further events are made for it.
 */
export class EventLog {
  private readonly changes: LineLimit;
  /** Separate: many open circuits that admit probes would otherwise displace the opening of another one. */
  private readonly trials: LineLimit;
  private readonly rejections: LineLimit;
  private changesLeftOut = 0;
  private trialsLeftOut = 0;
  /** The number of rejections so far when the log stopped listening; `undefined` while it listens. */
  private rejectionsHeard: number | undefined = undefined;
  private timer: Timer | undefined = undefined;
  private closed = false;

  constructor(private readonly host: EventLogHost) {
    const { clock, events, settings } = host;
    this.changes = new LineLimit(clock, settings.maxEventsPerSecond);
    this.trials = new LineLimit(clock, settings.maxEventsPerSecond);
    this.rejections = new LineLimit(clock, settings.maxRejectionsPerSecond);
    const change = (event: LoggedEvent): void => this.change(event);
    events.on('state-change', (event) => (isTrial(event) ? this.trial(event) : change(event)));
    events.on('override', change);
    events.on('configuration', change);
    events.on('store-degraded', change);
    events.on('store-recovered', change);
    this.listenToRejections();
    events.whenClosed(() => this.close());
  }

  private change(event: LoggedEvent): void {
    if (this.changes.take()) return this.write(this.lineOf(event));
    this.changesLeftOut += 1;
    this.scheduleSummary();
  }

  private trial(event: StateChangeEvent): void {
    if (this.trials.take()) return this.write(this.lineOf(event));
    this.trialsLeftOut += 1;
    this.scheduleSummary();
  }

  private listenToRejections(): void {
    if (this.host.settings.maxRejectionsPerSecond === 0) return;
    this.host.events.rejectionSample = (event) => this.rejection(event);
  }

  private rejection(event: RejectedEvent): void {
    const line = this.rejections.take() ? this.lineOf(event) : undefined;
    if (this.rejections.exhausted) {
      const { events } = this.host;
      events.rejectionSample = undefined;
      this.rejectionsHeard = events.rejections - (line === undefined ? 1 : 0);
      this.scheduleSummary();
    }
    if (line !== undefined) this.write(line);
  }

  private scheduleSummary(): void {
    if (this.timer !== undefined || this.closed) return;
    this.timer = this.host.clock.setTimer(() => this.logLeftOut(), SECOND);
    this.timer.unref();
  }

  private logLeftOut(): void {
    this.timer = undefined;
    const changes = this.changesLeftOut;
    const others = changes + this.trialsLeftOut;
    const { rejections } = this.host.events;
    const rejected = rejections - (this.rejectionsHeard ?? rejections);
    this.changesLeftOut = 0;
    this.trialsLeftOut = 0;
    if (this.rejectionsHeard !== undefined) {
      this.rejectionsHeard = undefined;
      this.listenToRejections();
    }
    if (others + rejected === 0) return;
    const quietLevel = rejected > 0 ? 'log' : 'debug';
    this.write({
      level: changes > 0 ? 'warn' : quietLevel,
      message: `left out of the log within a second: ${rejected} rejections, ${others} other events`,
      fields: { event: 'left-out', rejections: rejected, others },
    });
  }

  private lineOf(event: LoggedEvent): LogLine {
    const { host } = this;
    return lineOf(event, host.clock.wall(), (name) => host.factsOf(name));
  }

  private write({ level, message, fields }: LogLine): void {
    const { logger } = this.host;
    const wantsFields = this.host.settings.fields ?? this.host.takesFields();
    logger[level](wantsFields ? { message, ...fields } : message);
  }

  private close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.logLeftOut();
    this.host.events.rejectionSample = undefined;
  }
}

/** Whether it, or else the logger of the application, is a `ConsoleLogger` that writes JSON, as in Nest 11 and later. */
export function writesJson(given: unknown): boolean {
  const logger = given ?? look(Logger, 'staticInstanceRef');
  return look(look(logger, 'options'), 'json') === true;
}
