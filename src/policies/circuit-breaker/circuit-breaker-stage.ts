import type { Outcome } from '../../common/outcome.js';
import type { Call } from '../../pipeline/call.js';
import { Stage } from '../../pipeline/stage.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { KeyedCircuitBreakers } from './keyed-circuit-breakers.js';
import type { OutcomeRule } from './options.js';
import type { Permit } from './permit.js';

/** Asks a breaker for a permit, and gives it back with the outcome. */
export class CircuitBreakerStage extends Stage<Permit> {
  constructor(private readonly breaker: CircuitBreaker) {
    super();
  }

  override enter(call: Call): Permit {
    return this.breaker.acquire(call.now());
  }

  override exit(call: Call, permit: Permit): void {
    permit.settle(outcomeOf(call, this.breaker.classifier), call.error, call.now());
  }
}

/** The same with a breaker for each key. */
export class KeyedCircuitBreakerStage extends Stage<Permit> {
  constructor(private readonly breakers: KeyedCircuitBreakers) {
    super();
  }

  override enter(call: Call): Permit {
    return this.breakers.forCall(call.args).acquire(call.now());
  }

  override exit(call: Call, permit: Permit): void {
    permit.settle(outcomeOf(call, this.breakers.classifier), call.error, call.now());
  }
}

function outcomeOf(call: Call, classifier: OutcomeRule): Outcome {
  if (call.cancelled) return 'ignored';
  return call.failed ? classifier.ofError(call.error) : classifier.ofResult(call.value);
}
