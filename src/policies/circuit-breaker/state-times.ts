import type { BreakerState } from '../../telemetry/events.js';

/** How long a breaker has been in its current state, and in each state in total. */
export class StateTimes {
  /** Time in states that it has left; `undefined` until it has left one. */
  private spent: Record<BreakerState, number> | undefined = undefined;

  constructor(private since: number) {}

  leave(state: BreakerState, now: number): void {
    this.spent ??= { closed: 0, open: 0, 'half-open': 0 };
    this.spent[state] += now - this.since;
    this.since = now;
  }

  /** @param state the current one */
  at(
    state: BreakerState,
    now: number,
  ): {
    readonly stateForMs: number;
    readonly timeInStateMs: Readonly<Record<BreakerState, number>>;
  } {
    const stateForMs = now - this.since;
    const timeInStateMs = { closed: 0, open: 0, 'half-open': 0, ...this.spent };
    timeInStateMs[state] += stateForMs;
    return { stateForMs, timeInStateMs };
  }
}
