import { isResilienceError } from '../../common/errors.js';
import type { OutcomeRule } from '../../common/outcomes/outcome.js';
import type { Call } from '../../pipeline/call.js';
import { Stage } from '../../pipeline/stage.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { KeyedCircuitBreakers } from './keyed-circuit-breakers.js';
import type { Ending, Permit } from './permit.js';

/** Takes a permit from a breaker, and gives it back with the outcome. */
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

/** The same with a breaker per key; a call whose key has no breaker runs without a permit. */
export class KeyedCircuitBreakerStage extends Stage<Permit> {
  constructor(private readonly breakers: KeyedCircuitBreakers) {
    super();
  }

  override enter(call: Call): Permit | undefined {
    const breaker = this.breakers.forCall(call);
    return breaker === undefined ? undefined : admit(call, breaker);
  }

  override exit(call: Call, permit: Permit | undefined): void {
    const { classifier } = this.breakers;
    if (permit === undefined) judge(call, classifier);
    else settle(call, permit, classifier);
  }
}

function admit(call: Call, breaker: CircuitBreaker): Permit {
  const now = call.now();
  const permit = breaker.admit(now);
  if (permit === undefined) {
    call.answerMetrics = breaker.metrics;
    throw breaker.reject(now);
  }
  if (permit.probe) permit.holding = call.hold(breaker);
  return permit;
}

function settle(call: Call, permit: Permit, classifier: OutcomeRule): void {
  const travelling = permit.settled;
  const failed = judge(call, classifier);
  if (permit.holding !== undefined) call.holding = permit.holding.outer; // what the call does next is not part of the probe
  permit.settle(call.verdict!, call.error, call.now(), endingOf(call));
  if (travelling) return;
  if (call.streaming) watchStream(call, permit, classifier);
  if (!failed && !call.failed) return;
  call.nextRejection = permit.blockade;
  call.answerMetrics = failed || isResilienceError(call.error) ? permit.metrics : undefined;
}

/** The first item of a stream is a success; a break after it is one failure more. */
function watchStream(call: Call, permit: Permit, classifier: OutcomeRule): void {
  call.whenBroken((error) => {
    call.tick();
    if (classifier.ofError(error) === 'failure') permit.broken(error, call.now());
  });
}

/** Sets the breaker's verdict on the call. @returns whether the attempt has failed */
function judge(call: Call, classifier: OutcomeRule): boolean {
  const outcome = call.outcomeBy(classifier);
  const failed = outcome === 'failure';
  call.verdict = outcome;
  call.resultRejected = failed && !call.failed;
  return failed;
}

function endingOf(call: Call): Ending {
  if (!call.failed) return 'seen';
  if (call.callerHasGone) return 'unseen';
  return call.error === call.rejection ? 'turned-away' : 'seen';
}
