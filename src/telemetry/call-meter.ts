import { quietly } from '../common/quietly.js';
import type { CallEndEvent } from './call-events.js';

/** The parts of an ended call that are measured. */
export type MeasuredCall = Pick<
  CallEndEvent,
  'name' | 'attempts' | 'outcome' | 'source' | 'durationMs'
>;

/** Counts the ends of calls. An event for each would cost several times as much. */
export interface CallMeter {
  /** A call has succeeded at the first attempt, like nearly all. @param durationMs milliseconds */
  succeeded(name: string, durationMs: number): void;
  /** Any call has ended. @param rejected whether a policy rejected its last attempt */
  ended(call: MeasuredCall, rejected: boolean): void;
  /** A call has failed. Its event is made for meters that have this method. */
  failed?(event: CallEndEvent): void;
}

/** All meters of an application. Their errors have no effect. */
export class CallMeters implements CallMeter {
  private all: readonly CallMeter[] = [];
  private ofFailures: readonly Required<CallMeter>[] = [];

  /** @param onError receives the errors of meters */
  constructor(private readonly onError: (error: unknown, meter: CallMeter) => void) {}

  /** Whether there are any. Each call asks, so it has to be cheap. */
  get any(): boolean {
    return this.all.length > 0;
  }

  /** Whether any of them wants the events of failed calls. */
  get wantFailures(): boolean {
    return this.ofFailures.length > 0;
  }

  /** @returns a function that removes it */
  add(meter: CallMeter): () => void {
    this.set([...this.all, meter]);
    return () => this.set(this.all.filter((each) => each !== meter));
  }

  succeeded(name: string, durationMs: number): void {
    for (const meter of this.all) {
      try {
        meter.succeeded(name, durationMs);
      } catch (error) {
        quietly(() => this.onError(error, meter));
      }
    }
  }

  ended(call: MeasuredCall, rejected: boolean): void {
    for (const meter of this.all) {
      try {
        meter.ended(call, rejected);
      } catch (error) {
        quietly(() => this.onError(error, meter));
      }
    }
  }

  failed(event: CallEndEvent): void {
    for (const meter of this.ofFailures) {
      try {
        meter.failed(event);
      } catch (error) {
        quietly(() => this.onError(error, meter));
      }
    }
  }

  private set(all: readonly CallMeter[]): void {
    this.all = all;
    this.ofFailures = all.filter((meter): meter is Required<CallMeter> => 'failed' in meter);
  }
}
