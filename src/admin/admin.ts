import { randomBytes } from 'node:crypto';
import { AsyncResource } from 'node:async_hooks';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import type { CallMeter } from '../telemetry/call-meter.js';
import { resilienceEventKinds } from '../telemetry/event-kinds.js';
import type { ResilienceEvent, ResilienceEventKind } from '../telemetry/events.js';
import { show } from '../common/printable.js';
import { adminLogger } from './admin-logger.js';
import { Changes } from './changes/changes.js';
import type { AdminEvents, AdminMoment } from './contract.js';
import { Episodes } from './events/episodes.js';
import { EventLog } from './events/event-log.js';
import type { AdminSettings } from './options.js';
import { History } from './series/history.js';
import { Selection } from './series/selection.js';
import { STEP } from './series/series.js';
import { StreamState } from './stream/stream-state.js';
import { LiveStream } from './stream/live-stream.js';
import { BreakerViews } from './views/breaker-view.js';
import { Inspector } from './views/inspector.js';
import { FleetViews } from './views/fleet-views.js';
import type { Events, Parts } from './views/parts.js';
import { RateLimitViews, type Views } from './views/views.js';

/** A listener for these takes calls off the fast path, or has an event created for each. */
const OF_CALLS: ReadonlySet<string> = new Set<ResilienceEventKind>([
  'call-start',
  'call-end',
  'attempt-start',
  'attempt',
  'late',
]);

/** These change the state of the fleet. */
const OF_FLEET: ReadonlySet<string> = new Set<ResilienceEventKind>([
  'state-change',
  'store-degraded',
  'store-recovered',
  'configuration',
]);

/** Everything that the routes of one application need. */
export class Admin implements OnApplicationBootstrap, OnModuleDestroy {
  readonly inspector: Inspector;
  readonly changes: Changes;
  readonly stream: LiveStream;
  readonly log: EventLog;
  readonly history: History;
  /** Milliseconds since the epoch, on the clock of the application. */
  readonly now: () => number;
  private readonly instance = randomBytes(6).toString('hex');
  private readonly context = new AsyncResource('nest-resilience:admin');
  private readonly logger = adminLogger();
  private readonly unsubscribe: () => void;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(
    private readonly settings: AdminSettings,
    parts: Parts,
    events: Events,
    clock: Pick<Clock, 'wall'>,
  ) {
    this.now = () => Math.round(clock.wall());
    const moment = (): AdminMoment => this.moment();
    const episodes = new Episodes();
    const views: Views = {
      breakers: new BreakerViews(episodes, this.now),
      rateLimits: new RateLimitViews((name) => this.history.recent(name)),
      fleet: parts.fleet && new FleetViews(parts.fleet, this.now, (error) => this.complain(error)),
    };
    const selection = new Selection(parts, settings.maxKeys, views);
    this.log = new EventLog(settings.maxEvents, this.now);
    this.history = new History(selection, this.now);
    this.inspector = new Inspector(parts, views, moment, (part, name) =>
      this.history.of(part, name),
    );
    this.changes = new Changes(
      parts.breakers,
      (name, circuitBreaker, note) => parts.service.configure(name, { circuitBreaker }, note),
      this.log,
      (line) => this.logger.warn(line),
      this.now,
    );
    const state = new StreamState(parts, selection, views, this.log, this.history, moment);
    this.stream = new LiveStream(
      settings,
      state,
      () => this.history.all(),
      this.instance,
      (error) => this.complain(error),
    );
    const hear = (event: ResilienceEvent): void => {
      this.log.record(event);
      this.history.methods.record(event);
      if (event.type === 'state-change') episodes.record(event, this.now());
      if (event.type === 'state-change' || event.type === 'override') state.touch(event.name);
      if (OF_FLEET.has(event.type)) views.fleet?.expire();
    };
    const { methods } = this.history;
    const meter: CallMeter = {
      succeeded: (name, durationMs) => methods.end(name, false, durationMs),
      ended: ({ name, outcome, durationMs }) => {
        methods.end(name, outcome === 'failure', durationMs);
      },
      failed: (event) => this.log.record(event),
    };
    const ends = resilienceEventKinds
      .filter((kind) => !OF_CALLS.has(kind))
      .map((kind) => events.on(kind, hear));
    ends.push(events.meters.add(meter));
    this.unsubscribe = () => ends.forEach((end) => end());
  }

  onApplicationBootstrap(): void {
    if (!this.settings.readOnly)
      this.logger.log('changes are allowed for callers whom the guards admit');
    this.context.runInAsyncScope(() => {
      this.step();
      this.timer = setInterval(() => this.step(), STEP).unref();
    });
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
    this.unsubscribe();
    this.stream.close();
  }

  moment(): AdminMoment {
    const { readOnly, identify } = this.settings;
    return {
      at: this.now(),
      instance: this.instance,
      sequence: this.log.sequence,
      readOnly,
      needsBy: identify === undefined,
    };
  }

  events(since: number): AdminEvents {
    return { ...this.moment(), ...this.log.since(since) };
  }

  private step(): void {
    void this.log.sequence; // frees the events that it gathers
    this.history.step().catch((error: unknown) => this.complain(error));
  }

  private complain(error: unknown): void {
    this.logger.error(`the management API has failed: ${show(error)}`);
  }
}
