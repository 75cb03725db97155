/** An order of the experiment to an instance. */
export type Order =
  /** Whether its dependency fails. */
  | { readonly type: 'outage'; readonly fails: boolean }
  | { readonly type: 'hold-open'; readonly by: string }
  | { readonly type: 'let-go' }
  | { readonly type: 'look'; readonly id: number }
  /** Moves its clocks, milliseconds. */
  | { readonly type: 'step'; readonly time: number; readonly wall: number }
  | { readonly type: 'end' };

/** A report of an instance about itself. */
export type Answer =
  | { readonly type: 'ready' }
  | {
      readonly type: 'look';
      readonly id: number;
      readonly degraded: boolean;
      /** States of breakers by name, and who holds `held` open. */
      readonly states: Readonly<Record<string, string>>;
      readonly heldBy: string | undefined;
      /** How late the process has been so far, milliseconds. */
      readonly lateMs: number;
    }
  | { readonly type: 'closed'; readonly closeMs: number };

export type ClientKind = 'node-redis' | 'ioredis';

/** The arguments of an instance, as JSON. */
export interface InstanceSettings {
  readonly id: string;
  readonly url: string;
  readonly client: ClientKind;
  readonly ledger: string;
  readonly seed: number;
}
