/** The facts that the processes write down, one line of JSON each. Times are from the machine's monotonic clock, milliseconds. */
export type Fact =
  /** The store has granted a lease that was asked for at `asked`; it is valid until `until` at least. */
  | {
      readonly type: 'leased';
      readonly kind: 'place' | 'probe';
      readonly name: string;
      readonly token: string;
      readonly asked: number;
      readonly until: number;
      /** Of a probe: incarnation and epoch of its circuit. */
      readonly phase: Phase | undefined;
    }
  | {
      readonly type: 'prolonged';
      readonly name: string;
      readonly tokens: readonly string[];
      readonly until: number;
    }
  /** A lease is being given back; from now on it may end. */
  | { readonly type: 'returned'; readonly name: string; readonly token: string }
  /** The store has taken the outcome of a probe; the circuit is in this phase after it. */
  | {
      readonly type: 'settled';
      readonly name: string;
      readonly token: string;
      readonly asked: number;
      readonly then: Phase;
    }
  /** The store has opened a circuit; `known` is what the instance knew of it. */
  | {
      readonly type: 'tripped';
      readonly name: string;
      readonly known: Phase;
      readonly then: Phase;
    }
  /** A circuit, as the store has reported it. */
  | {
      readonly type: 'seen';
      readonly name: string;
      readonly asked: number;
      readonly phase: Phase;
    }
  /** The store has allowed a call. Its turn is `waitMs` after the answer. */
  | {
      readonly type: 'allowed';
      readonly name: string;
      readonly asked: number;
      readonly waitMs: number;
    }
  /** How many instances are alive, according to the store. */
  | { readonly type: 'living'; readonly asked: number; readonly instances: number }
  /** The store does not answer a step in time, or rejects it. */
  | { readonly type: 'unanswered' }
  | { readonly type: 'degraded'; readonly error: string }
  | { readonly type: 'recovered' }
  /** Work has begun that holds something of `name`, and has ended. */
  | { readonly type: 'begun'; readonly name: string; readonly id: number }
  | { readonly type: 'ended'; readonly name: string; readonly id: number }
  | {
      readonly type: 'state';
      readonly name: string;
      readonly to: string;
      readonly reason: string;
    }
  /** A call with an outcome that is not allowed, an unhandled error, and the like. */
  | { readonly type: 'wrong'; readonly what: string }
  /** The calls of the last second by method, and the longest overrun of a limit, milliseconds. */
  | {
      readonly type: 'calls';
      readonly made: Readonly<Record<string, number>>;
      readonly answered: Readonly<Record<string, number>>;
      readonly overMs: number;
    }
  /** The clocks of the instance have been moved. */
  | { readonly type: 'stepped' }
  | { readonly type: 'size'; readonly heapMb: number; readonly pending: number }
  /** Of the experiment: a trouble begins, and has ended. */
  | { readonly type: 'trouble'; readonly name: string; readonly begins: boolean }
  /** Data of the store may be lost from now on, and until now. */
  | { readonly type: 'losing' }
  | { readonly type: 'lost' }
  | { readonly type: 'killed'; readonly instance: string }
  /** The dependency fails for one instance alone from now on, or no longer. */
  | { readonly type: 'lone-outage'; readonly instance: string | undefined }
  /** All instances agree with the store and with each other, and nothing is wrong. */
  | { readonly type: 'calm' };

/** The life of a circuit, and its state in it. */
export interface Phase {
  readonly incarnation: string;
  readonly epoch: number;
}

export type Entry = Fact & { readonly at: number; readonly from: string };

/** The machine's monotonic clock: the same for all processes, milliseconds. */
export function machineNow(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1_000 + nanos / 1e6;
}
