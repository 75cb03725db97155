import { printable, show } from '../../common/printable.js';
import type { BreakerOverride, ResilienceEvent, StateChangeEvent } from '../../telemetry/events.js';
import { notify } from '../../telemetry/resilience-events.js';
import type { BreakerEnvironment } from './environment.js';

export type StateChangeListener = (change: StateChangeEvent) => void;

type BreakerEvent = Extract<ResilienceEvent, { type: 'state-change' | 'rejected' | 'override' }>;

interface Subscription {
  readonly listener: StateChangeListener;
}

interface Announcement {
  readonly event: BreakerEvent;
  /** The listener of the breaker's options. */
  readonly configured: StateChangeListener | undefined;
}

/** Listeners that answer each change with another one would go on for ever. */
const LONGEST = 1_000;

/**
 * Tells what a breaker has done, after it has done it and in that order: what happens while listeners are being told
 * is told when they have all heard. Nothing that listeners or loggers do reaches the breaker.
 */
export class Announcer {
  private subscriptions: Set<Subscription> | undefined = undefined;
  /** Events that wait while another one is being announced. */
  private queue: Announcement[] | undefined = undefined;

  constructor(
    private readonly name: string,
    private readonly environment: BreakerEnvironment,
  ) {}

  get hasListeners(): boolean {
    return this.subscriptions !== undefined && this.subscriptions.size > 0;
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: StateChangeListener): () => void {
    const subscription = { listener };
    const subscriptions = (this.subscriptions ??= new Set());
    subscriptions.add(subscription);
    return () => {
      subscriptions.delete(subscription);
    };
  }

  /** Whether anybody would hear of anything but changes of state: look before making an event. */
  get isHeard(): boolean {
    return this.environment.events.active;
  }

  /** @param configured the listener of the breaker's options */
  stateChanged(change: StateChangeEvent, configured: StateChangeListener | undefined): void {
    this.announce(change, configured);
  }

  /** @param observed whether the call was let through all the same */
  rejected(retryAfterMs: number | undefined, observed: boolean): void {
    this.announce({
      type: 'rejected',
      name: this.name,
      policy: 'circuitBreaker',
      code: 'CIRCUIT_OPEN',
      retryAfterMs,
      ...(observed && { observed }),
    });
  }

  overridden(override: BreakerOverride | undefined): void {
    if (this.isHeard) this.announce({ type: 'override', name: this.name, override });
  }

  private announce(event: BreakerEvent, configured?: StateChangeListener): void {
    const announcement = { event, configured };
    if (this.queue !== undefined) {
      this.queue.push(announcement);
      return;
    }
    const queue = (this.queue = [announcement]);
    // The queue grows while it is worked off.
    for (let told = 0; told < queue.length; told++) {
      if (told === LONGEST) {
        this.environment.warn(
          this.about('its listeners answer each change with another one; the others are not told'),
        );
        break;
      }
      this.tell(queue[told]!);
    }
    this.queue = undefined;
  }

  private tell({ event, configured }: Announcement): void {
    if (event.type === 'state-change') {
      // Production often shows nothing below a warning, and an open circuit is one.
      const level = event.to === 'open' ? 'warn' : 'log';
      const changed = `is ${event.to}, was ${event.from}: ${event.reason}`;
      this.environment.log(this.about(changed), level);
    }
    try {
      this.environment.events.emit(event);
    } catch {
      // whoever emits has told of it
    }
    if (event.type !== 'state-change') return;
    if (configured !== undefined) this.notify(configured, event);
    const { subscriptions } = this;
    if (subscriptions === undefined) return;
    for (const subscription of [...subscriptions]) {
      if (subscriptions.has(subscription)) this.notify(subscription.listener, event);
    }
  }

  private notify(listener: StateChangeListener, change: StateChangeEvent): void {
    const { environment, name } = this;
    notify(listener, change, (error) =>
      environment.complaints.complain(
        listener,
        () => `circuit "${printable(name)}": a state listener threw ${show(error)}`,
      ),
    );
  }

  private about(what: string): string {
    return `circuit "${printable(this.name)}" ${what}`;
  }
}
