import type {
  CircuitReply,
  CircuitStep,
  CircuitView,
  LimitRequest,
  PlacesStep,
  ResilienceStore,
  SharedOverride,
} from '../../fleet/store.js';

type Step<T extends CircuitStep['type']> = Extract<CircuitStep, { type: T }>;

/** Longer than any case takes, milliseconds. */
export const LONG = 60_000;

/** Ends within {@link PAUSE}, milliseconds. */
export const SHORT = 20;

export const PAUSE = 40;

export const CIRCUIT = 'BooksClient.get';

/** The steps of one instance with one circuit; defaults fill in what a case leaves open. */
export class CircuitOf {
  constructor(
    private readonly store: ResilienceStore,
    readonly id = 'a',
    readonly name: string = CIRCUIT,
  ) {}

  async view(): Promise<CircuitView | undefined> {
    return (await this.store.circuits([this.name]))[0];
  }

  /** Trips the circuit from the state in which the store has it. */
  async trip(options: Partial<Step<'trip'>> = {}): Promise<CircuitReply> {
    const { epoch, incarnation } = (await this.view()) ?? { epoch: 0, incarnation: '' };
    return this.tripFrom({ epoch, incarnation }, options);
  }

  tripFrom(
    { epoch, incarnation }: Pick<CircuitView, 'epoch' | 'incarnation'>,
    options: Partial<Step<'trip'>> = {},
  ): Promise<CircuitReply> {
    return this.store.circuit(this.name, {
      type: 'trip',
      epoch,
      incarnation,
      instanceId: this.id,
      openMs: [SHORT],
      ...options,
    });
  }

  acquire(token: string, options: Partial<Step<'acquire'>> = {}): Promise<CircuitReply> {
    return this.store.circuit(this.name, {
      type: 'acquire',
      token,
      probes: 2,
      successes: 2,
      leaseMs: LONG,
      ...options,
    });
  }

  settle(
    token: string,
    outcome: Step<'settle'>['outcome'],
    options: Partial<Step<'settle'>> = {},
  ): Promise<CircuitReply> {
    return this.store.circuit(this.name, {
      type: 'settle',
      token,
      outcome,
      successes: 2,
      failures: 0,
      openMs: [SHORT],
      ...options,
    });
  }

  override(override: Step<'override'>['override']): Promise<CircuitReply> {
    return this.store.circuit(this.name, { type: 'override', override });
  }

  /** As from an instance that holds an override which the store has lost. */
  restore(override: SharedOverride): Promise<CircuitReply> {
    return this.store.circuit(this.name, { type: 'override', override, restores: true });
  }

  reset(): Promise<CircuitReply> {
    return this.store.circuit(this.name, { type: 'reset' });
  }
}

/** A request to a limit of 10 calls per hour, which hardly recovers while a case runs. */
export function perHour(request: Partial<LimitRequest> = {}): LimitRequest {
  return { limit: 10, perMs: 3_600_000, burst: 10, cost: 1, maxWaitMs: 0, ...request };
}

export function takePlace(
  token: string,
  options: Partial<Extract<PlacesStep, { type: 'acquire' }>> = {},
): PlacesStep {
  return { type: 'acquire', token, instanceId: 'a', limit: 2, leaseMs: LONG, ...options };
}
