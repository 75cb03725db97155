import { printable, show } from '../../common/printable.js';
import type { BreakerOverride, ResilienceEvent, StateChangeEvent } from '../../telemetry/events.js';
import { notify } from '../../telemetry/notify.js';
import type { BreakerEnvironment } from './environment.js';

/** Called with each change of a breaker's state, after it has happened. */
export type StateChangeListener = (change: StateChangeEvent) => void;

type BreakerEvent = Extract<ResilienceEvent, { type: 'state-change' | 'rejected' | 'override' }>;

interface Subscription {
  readonly listener: StateChangeListener;
}

interface Announcement {
  readonly event: BreakerEvent;
  /** `onStateChange` of the breaker's options. */
  readonly configured: StateChangeListener | undefined;
}

/** Limit for announcements in a row: listeners could cause another change at each one, endlessly. */
const LONGEST = 1_000;

/**
 * Announces the changes of a breaker after they have happened, in their order: a change that a listener causes is
 * announced when all listeners have received the current one. No error of a listener or a logger reaches the breaker.
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

  /** Call it once per rejection. @returns whether an announcement is needed */
  countRejection(): boolean {
    return this.environment.events.countRejection();
  }

  /** @param configured `onStateChange` of the breaker's options */
  stateChanged(change: StateChangeEvent, configured: StateChangeListener | undefined): void {
    this.announce(change, configured);
  }

  /** @param observed whether the call was admitted nevertheless */
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

  /** @param pending whether the fleet does not know of it yet */
  overridden(override: BreakerOverride | undefined, pending: boolean): void {
    if (!this.environment.events.active('override')) return;
    const event = { type: 'override', name: this.name, override } as const;
    this.announce(pending ? { ...event, pending } : event);
  }

  private announce(event: BreakerEvent, configured?: StateChangeListener): void {
    const announcement = { event, configured };
    if (this.queue !== undefined) {
      this.queue.push(announcement);
      return;
    }
    const queue = (this.queue = [announcement]);
    // The queue may grow meanwhile.
    for (let at = 0; at < queue.length; at++) {
      if (at === LONGEST) {
        this.environment.warn(
          this.about(
            'its listeners answer each change with another one; further changes are not announced',
          ),
        );
        break;
      }
      this.deliver(queue[at]!);
    }
    this.queue = undefined;
  }

  private deliver({ event, configured }: Announcement): void {
    try {
      this.environment.events.emit(event);
    } catch {
      // reported where it was emitted
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
