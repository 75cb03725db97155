import { isResilienceError } from '../../common/errors.js';
import type { OutcomeRule } from '../../common/outcome.js';
import type { Call } from '../../pipeline/call.js';
import { Stage } from '../../pipeline/stage.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { KeyedCircuitBreakers } from './keyed-circuit-breakers.js';
import type { Ending, Permit } from './permit.js';

/** Asks a breaker for a permit, and gives it back with the outcome. */
export class CircuitBreakerStage extends Stage<Permit> {
  constructor(private readonly breaker: CircuitBreaker) {
    super();
  }

  override enter(call: Call): Permit {
    return admit(call, this.breaker);
  }

  override exit(call: Call, permit: Permit): void {
    settle(call, permit, this.breaker.classifier);
  }
}

/** The same with a breaker for each key. */
export class KeyedCircuitBreakerStage extends Stage<Permit> {
  constructor(private readonly breakers: KeyedCircuitBreakers) {
    super();
  }

  override enter(call: Call): Permit {
    return admit(call, this.breakers.forCall(call.args));
  }

  override exit(call: Call, permit: Permit): void {
    settle(call, permit, this.breakers.classifier);
  }
}

function admit(call: Call, breaker: CircuitBreaker): Permit {
  const now = call.now();
  const permit = breaker.admit(now);
  if (permit !== undefined) return permit;
  call.unhealthy = breaker.metrics;
  call.rejection = breaker.reject(now);
  throw call.rejection;
}

function settle(call: Call, permit: Permit, classifier: OutcomeRule): void {
  const outcome = call.outcomeBy(classifier);
  const { error } = call;
  call.verdict = outcome;
  permit.settle(outcome, error, call.now(), endingOf(call));
  const failed = outcome === 'failure';
  call.doubtful = failed && !call.failed;
  if (!failed && !call.failed) return;
  call.blockedBy = permit.blockade;
  call.unhealthy = failed || isResilienceError(call.error) ? permit.metrics : undefined;
}

function endingOf(call: Call): Ending {
  if (!call.failed) return 'seen';
  if (call.cancelled) return 'unseen';
  return call.error === call.rejection ? 'turned-away' : 'seen';
}
