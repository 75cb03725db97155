import type {
  CircuitReply,
  CircuitStep,
  CircuitView,
  LimitRequest,
  PlacesStep,
  ResilienceStore,
} from 'nest-resilience';
import { FLEET } from '../limits.js';
import { machineNow, type Phase } from '../entries.js';
import type { Ledger } from './ledger.js';

/** An answer that takes longer may be too late for its call, milliseconds. */
const LATE = FLEET.callTimeout / 2;

/** A store that writes down the questions and answers. */
export function recorded(store: ResilienceStore, ledger: Ledger): ResilienceStore {
  /** Writes down at once that an answer takes too long: its call may go on without it. */
  async function answered<T>(step: Promise<T>): Promise<T> {
    const asked = machineNow();
    let failed = true;
    const timer = setTimeout(() => ledger.write({ type: 'unanswered' }), LATE);
    try {
      const answer = await step;
      failed = false;
      return answer;
    } finally {
      clearTimeout(timer);
      // Answers come before timers after a stall of the event loop.
      if (failed || machineNow() - asked > LATE) ledger.write({ type: 'unanswered' });
    }
  }

  async function circuit(name: string, step: CircuitStep): Promise<CircuitReply> {
    const asked = machineNow();
    if (step.type === 'settle') ledger.write({ type: 'returned', name, token: step.token });
    const reply = await answered(store.circuit(name, step));
    const { granted, view } = reply;
    const phase = phaseOf(view);
    ledger.write({ type: 'seen', name, asked, phase });
    if (!granted) return reply;
    if (step.type === 'trip') {
      const { epoch, incarnation } = step;
      ledger.write({ type: 'tripped', name, known: { epoch, incarnation }, then: phase });
    } else if (step.type === 'settle') {
      ledger.write({ type: 'settled', name, token: step.token, asked, then: phase });
    } else if (step.type === 'acquire' && view.state !== 'closed') {
      const { token, leaseMs } = step;
      const until = asked + leaseMs;
      ledger.write({ type: 'leased', kind: 'probe', name, token, asked, until, phase });
    }
    return reply;
  }

  async function places(name: string, step: PlacesStep) {
    const asked = machineNow();
    if (step.type === 'release') ledger.write({ type: 'returned', name, token: step.token });
    const reply = await answered(store.places(name, step));
    if (step.type === 'acquire' && reply.granted) {
      const until = asked + step.leaseMs;
      const { token } = step;
      ledger.write({ type: 'leased', kind: 'place', name, token, asked, until, phase: undefined });
    } else if (step.type === 'renew') {
      const tokens = step.tokens.filter((token) => !reply.lost?.includes(token));
      ledger.write({ type: 'prolonged', name, tokens, until: asked + step.leaseMs });
    }
    return reply;
  }

  async function limit(name: string, request: LimitRequest) {
    const asked = machineNow();
    const decision = await answered(store.limit(name, request));
    const { allowed, waitMs } = decision;
    if (allowed) ledger.write({ type: 'allowed', name, asked, waitMs });
    return decision;
  }

  return {
    kind: store.kind,
    circuit,
    places,
    limit,
    async circuits(names) {
      const asked = machineNow();
      const views = await answered(store.circuits(names));
      names.forEach((name, i) => {
        const view = views[i];
        if (view) ledger.write({ type: 'seen', name, asked, phase: phaseOf(view) });
      });
      return views;
    },
    async heartbeat(info, ttlMs) {
      const asked = machineNow();
      const living = await answered(store.heartbeat(info, ttlMs));
      ledger.write({ type: 'living', asked, instances: living });
      return living;
    },
    instances: () => answered(store.instances()),
    leave: (id) => store.leave(id),
    settings: () => store.settings(),
    changeSettings: (revision, settings) => store.changeSettings(revision, settings),
    subscribe: (listener) => store.subscribe(listener),
    close: () => store.close(),
  };
}

function phaseOf({ epoch, incarnation }: CircuitView): Phase {
  return { epoch, incarnation };
}
