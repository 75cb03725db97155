import { isResilienceError } from '../../common/errors.js';
import type { OutcomeRule } from '../../common/outcomes/outcome.js';
import type { Call } from '../../pipeline/call.js';
import { Stage } from '../../pipeline/stage.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { Ending, Permit } from './permit.js';

/** One breaker, or a breaker per key. */
export interface Breakers {
  readonly classifier: OutcomeRule;
  /** @returns `undefined` when the call's key has no breaker, so that it runs without a permit */
  forCall(call: Call): CircuitBreaker | undefined;
}

/** Takes a permit from a breaker, and gives it back with the outcome. */
export class CircuitBreakerStage<Waiting = never> extends Stage<Permit | Waiting> {
  constructor(protected readonly breakers: Breakers) {
    super();
  }

  override enter(call: Call): Permit | Waiting | undefined {
    const breaker = this.breakers.forCall(call);
    if (breaker === undefined) return undefined;
    const permit = breaker.admit(call.now());
    if (permit === undefined) return this.turnAway(call, breaker);
    if (permit.probe) permit.holding = call.hold(breaker);
    return permit;
  }

  /** The wait of a call that has not been admitted. @throws {CircuitOpenError} when it has nothing to wait for */
  protected turnAway(call: Call, breaker: CircuitBreaker): Waiting {
    throw rejection(call, breaker);
  }

  /** @param held of the same type as the result of {@link enter}; a subclass whose calls wait handles those itself */
  override exit(call: Call, held: Permit | Waiting | undefined): void {
    leave(call, held as Permit | undefined, this.breakers.classifier);
  }
}

/** Gives a permit back with the outcome of the call. */
export function leave(call: Call, permit: Permit | undefined, classifier: OutcomeRule): void {
  const outcome = call.outcomeBy(classifier);
  call.verdict = outcome;
  call.resultRejected = outcome === 'failure' && !call.failed;
  if (permit === undefined) return;
  const travelling = permit.settled;
  if (permit.holding !== undefined) call.holding = permit.holding.outer; // the call goes on outside the probe
  permit.settle(outcome, call.error, call.now(), endingOf(call));
  const over = outcome === 'success' && !call.failed && !call.mayBreak;
  if (!over && !travelling) prepare(call, permit, classifier);
}

export function rejection(call: Call, breaker: CircuitBreaker): Error {
  call.answerMetrics = breaker.metrics;
  return breaker.reject(call.now());
}

function endingOf(call: Call): Ending {
  if (!call.failed) return 'seen';
  if (call.callerHasGone) return 'unseen';
  return call.error === call.rejection ? 'turned-away' : 'seen';
}

/** Prepares the call for what may follow: another attempt or an answer after a failure, or the rest of a stream. */
function prepare(call: Call, permit: Permit, classifier: OutcomeRule): void {
  if (call.mayBreak) watchForBreak(call, permit, classifier);
  const failed = call.verdict === 'failure';
  if (!failed && !call.failed) return;
  call.nextRejection = permit.blockade;
  call.answerMetrics = failed || isResilienceError(call.error) ? permit.metrics : undefined;
}

/** The beginning of a stream is a success; a break after it is one failure more. */
function watchForBreak(call: Call, permit: Permit, classifier: OutcomeRule): void {
  call.whenBroken((error) => {
    call.tick();
    if (classifier.ofError(error) === 'failure') permit.broken(error, call.now());
  });
}
