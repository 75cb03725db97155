import type { BreakerReading } from '../policies/circuit-breaker/snapshot.js';
import type { BreakerState } from '../telemetry/events.js';
import { instruments } from './instruments.js';
import { Count, Series } from './series.js';

export const STATES: readonly BreakerState[] = ['closed', 'open', 'half-open'];

type Times = BreakerReading['timeInStateMs'];

/** The time that breakers have been in each state. It never goes down, although breakers by key come and go. */
export class TimesInState {
  readonly series = new Series(instruments.breakerTime, (labels) => new Count(labels));
  /** As they were read last. */
  private readonly former = new WeakMap<object, Times>();

  /** Adds the time since the breaker was read last. @param label the name that it is shown by */
  add(label: string, breaker: object, times: Times): void {
    const former = this.former.get(breaker);
    this.former.set(breaker, times);
    for (const state of STATES) {
      this.series.at(label, state).value += (times[state] - (former?.[state] ?? 0)) / 1_000;
    }
  }
}
