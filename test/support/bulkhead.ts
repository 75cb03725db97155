import type { ResilienceEvent } from '../../src/telemetry/events.js';
import { ResilienceEvents } from '../../src/telemetry/resilience-events.js';
import { ManualClock } from '../../src/testing/index.js';
import { BulkheadFullError } from '../../src/policies/bulkhead/bulkhead-full-error.js';
import { Bulkhead, type Place, Waiter } from '../../src/policies/bulkhead/bulkhead.js';

interface Given {
  readonly maxConcurrent?: number;
  readonly maxQueue?: number;
  readonly maxWait?: number;
}

/** A bulkhead, a clock that only the test moves, and the fate of the waiting calls. */
export class Harness {
  readonly clock = new ManualClock();
  readonly events = new ResilienceEvents();
  readonly emitted: ResilienceEvent[] = [];
  readonly bulkhead: Bulkhead;
  /** The waiting calls that got a place or were rejected, in that order. */
  readonly log: string[] = [];

  constructor({ maxConcurrent = 1, maxQueue = 0, maxWait }: Given = {}) {
    const { clock, events } = this;
    const settings = { name: undefined, maxConcurrent, maxQueue, maxWait };
    this.bulkhead = new Bulkhead('storagesvc', settings, { clock, events });
    events.subscribe((event) => void this.emitted.push(event));
  }

  take(): Place {
    return this.bulkhead.take(this.clock.now());
  }

  /** Takes an entry in the queue. */
  wait(name: string): Waiter {
    const place = this.take();
    if (!(place instanceof Waiter)) throw new Error(`${name} has got a place`);
    place.ready.then(
      () => this.log.push(name),
      ({ reason }: BulkheadFullError) => this.log.push(`${name}: ${reason}`),
    );
    return place;
  }

  giveBack(place: Place): void {
    this.bulkhead.giveBack(place, this.clock.now());
  }

  rejection(): BulkheadFullError {
    try {
      this.take();
    } catch (error) {
      if (error instanceof BulkheadFullError) return error;
      throw error;
    }
    throw new Error('was let in');
  }

  get counts(): [running: number, waiting: number, rejected: number] {
    const { running, waiting, rejected } = this.bulkhead.snapshot();
    return [running, waiting, rejected];
  }
}
