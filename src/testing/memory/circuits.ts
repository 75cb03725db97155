import { randomUUID } from 'node:crypto';
import { KEEP_MS, span, votesNeeded } from '../../fleet/spans.js';
import type {
  CircuitPhase,
  CircuitReply,
  CircuitStep,
  CircuitView,
  SharedOverride,
} from '../../fleet/store.js';

type Step<T extends CircuitStep['type']> = Extract<CircuitStep, { type: T }>;

interface Circuit {
  state: CircuitPhase;
  epoch: number;
  readonly incarnation: string;
  openUntil: number;
  openings: number;
  successes: number;
  failures: number;
  override: SharedOverride | undefined;
  overrideUntil: number;
  /** Whether an operator has cleared the last override. */
  cleared: boolean;
  /** Deadlines by token. */
  readonly leases: Map<string, number>;
  /** Times of the votes by instance. */
  readonly votes: Map<string, number>;
  keptUntil: number;
}

/** A view of a circuit that the store does not know. */
const UNKNOWN: CircuitView = {
  state: 'closed',
  epoch: 0,
  incarnation: '',
  remainingMs: 0,
  openings: 0,
};

/** The circuits of a {@link MemoryStore}. */
export class MemoryCircuits {
  private readonly circuits = new Map<string, Circuit>();

  constructor(
    private readonly now: () => number,
    private readonly living: () => number,
    private readonly changed: (name: string, view: CircuitView) => void,
  ) {}

  view(name: string): CircuitView | undefined {
    const circuit = this.find(name);
    return circuit && this.viewOf(circuit);
  }

  step(name: string, step: CircuitStep): CircuitReply {
    const circuit = this.find(name);
    const epoch = circuit?.epoch;
    const reply = this.make(name, circuit, step);
    if (reply.view.epoch !== (epoch ?? 0)) this.changed(name, reply.view);
    return reply;
  }

  clear(): void {
    this.circuits.clear();
  }

  private make(name: string, circuit: Circuit | undefined, step: CircuitStep): CircuitReply {
    switch (step.type) {
      case 'trip':
        return this.trip(name, circuit, step);
      case 'acquire':
        return this.acquire(circuit, step);
      case 'settle':
        return this.settle(circuit, step);
      case 'override':
        return this.setOverride(this.orNew(name, circuit), step);
      case 'reset': {
        const known = this.orNew(name, circuit);
        this.close(known);
        return this.granted(known);
      }
    }
  }

  private trip(name: string, known: Circuit | undefined, step: Step<'trip'>): CircuitReply {
    const stale =
      known !== undefined && (known.epoch !== step.epoch || known.incarnation !== step.incarnation);
    if (stale || (known !== undefined && known.state !== 'closed')) return this.refused(known);
    const circuit = this.orNew(name, known);
    const { quorum } = step;
    if (quorum !== undefined) {
      const now = this.now();
      const voteMs = span(quorum.voteMs);
      for (const [id, at] of circuit.votes) if (at <= now - voteMs) circuit.votes.delete(id);
      circuit.votes.set(step.instanceId, now);
      if (circuit.votes.size < votesNeeded(quorum, this.living())) {
        this.keep(circuit, now + voteMs);
        return this.refused(circuit);
      }
    }
    this.open(circuit, step.openMs);
    return this.granted(circuit);
  }

  private acquire(circuit: Circuit | undefined, step: Step<'acquire'>): CircuitReply {
    if (circuit === undefined || circuit.state === 'closed') return this.granted(circuit);
    const now = this.now();
    if (circuit.state === 'open') {
      if (now < circuit.openUntil) return this.refused(circuit, circuit.openUntil - now);
      this.enter(circuit, 'half-open');
    }
    const { leases } = circuit;
    if (leases.has(step.token)) return this.granted(circuit);
    const slots = Math.max(1, Math.min(step.probes, step.successes - circuit.successes));
    if (leases.size >= slots) return this.refused(circuit, Math.min(...leases.values()) - now);
    leases.set(step.token, now + span(step.leaseMs));
    this.keep(circuit);
    return this.granted(circuit);
  }

  private settle(circuit: Circuit | undefined, step: Step<'settle'>): CircuitReply {
    if (circuit === undefined || !circuit.leases.delete(step.token)) return this.refused(circuit);
    if (step.outcome === 'success') circuit.successes++;
    if (step.outcome === 'failure') circuit.failures++;
    if (circuit.failures > step.failures) this.open(circuit, step.openMs);
    else if (circuit.successes >= step.successes) this.close(circuit);
    else this.keep(circuit);
    return this.granted(circuit);
  }

  private setOverride(circuit: Circuit, { override, restores }: Step<'override'>): CircuitReply {
    const decided = circuit.override !== undefined || circuit.cleared;
    if (restores && decided) return this.refused(circuit);
    if (override === undefined && circuit.cleared) return this.granted(circuit);
    circuit.override = override;
    circuit.cleared = override === undefined;
    circuit.overrideUntil =
      override?.remainingMs === undefined ? Infinity : this.now() + span(override.remainingMs);
    circuit.epoch++;
    this.keep(circuit);
    return this.granted(circuit);
  }

  private open(circuit: Circuit, openMs: readonly number[]): void {
    circuit.openUntil = this.now() + span(openMs[circuit.openings] ?? openMs.at(-1) ?? 0);
    circuit.openings++;
    this.enter(circuit, 'open');
  }

  private close(circuit: Circuit): void {
    circuit.openings = 0;
    this.enter(circuit, 'closed');
  }

  private enter(circuit: Circuit, state: CircuitPhase): void {
    circuit.state = state;
    circuit.epoch++;
    circuit.successes = circuit.failures = 0;
    circuit.leases.clear();
    circuit.votes.clear();
    this.keep(circuit);
  }

  /** Keeps the circuit beyond the last of its deadlines. */
  private keep(circuit: Circuit, deadline = 0): void {
    const until = Math.max(
      this.now(),
      deadline,
      circuit.state === 'open' ? circuit.openUntil : 0,
      circuit.override === undefined ? 0 : circuit.overrideUntil,
      ...circuit.leases.values(),
    );
    circuit.keptUntil = until + KEEP_MS;
  }

  /** The circuit without what has ended meanwhile; undefined if it has been forgotten. */
  private find(name: string): Circuit | undefined {
    const circuit = this.circuits.get(name);
    if (circuit === undefined) return undefined;
    const now = this.now();
    if (circuit.keptUntil <= now) {
      this.circuits.delete(name);
      return undefined;
    }
    if (circuit.overrideUntil <= now) circuit.override = undefined;
    for (const [token, until] of circuit.leases) if (until <= now) circuit.leases.delete(token);
    return circuit;
  }

  private orNew(name: string, known: Circuit | undefined): Circuit {
    if (known !== undefined) return known;
    const circuit: Circuit = {
      state: 'closed',
      epoch: 0,
      incarnation: randomUUID(),
      openUntil: 0,
      openings: 0,
      successes: 0,
      failures: 0,
      override: undefined,
      overrideUntil: Infinity,
      cleared: false,
      leases: new Map(),
      votes: new Map(),
      keptUntil: Infinity,
    };
    this.circuits.set(name, circuit);
    return circuit;
  }

  private granted(circuit: Circuit | undefined): CircuitReply {
    return { granted: true, view: this.viewOf(circuit) };
  }

  private refused(circuit: Circuit | undefined, retryAfterMs?: number): CircuitReply {
    const view = this.viewOf(circuit);
    return {
      granted: false,
      view,
      ...(retryAfterMs !== undefined && { retryAfterMs: Math.ceil(retryAfterMs) }),
    };
  }

  private viewOf(circuit: Circuit | undefined): CircuitView {
    if (circuit === undefined) return UNKNOWN;
    const { state, epoch, incarnation, openings, override, overrideUntil } = circuit;
    const now = this.now();
    const remainingMs = state === 'open' ? Math.max(0, Math.ceil(circuit.openUntil - now)) : 0;
    const view = { state, epoch, incarnation, remainingMs, openings };
    if (override === undefined) return circuit.cleared ? { ...view, cleared: true } : view;
    const { remainingMs: _, ...rest } = override;
    return {
      ...view,
      override: {
        ...rest,
        ...(overrideUntil !== Infinity && { remainingMs: Math.ceil(overrideUntil - now) }),
      },
    };
  }
}
