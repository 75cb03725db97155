import type { Call } from '../../pipeline/call.js';
import { CircuitBreakerStage, leave, rejection } from './circuit-breaker-stage.js';
import type { CircuitBreaker } from './circuit-breaker.js';
import type { Permit } from './permit.js';

/** A call that waits for the fleet's answer, whether it may be a probe. */
class Question {
  /** Of the call, once it has been admitted. */
  permit: Permit | undefined = undefined;
  /** Whether the call has ended meanwhile. */
  over = false;

  constructor(
    readonly breaker: CircuitBreaker,
    readonly answer: Promise<Permit | undefined>,
  ) {}
}

/** The stage of shared breakers: a call that may be a probe waits for its lease, no longer than the store's time budget. */
export class SharedCircuitBreakerStage extends CircuitBreakerStage<Question> {
  override ready(call: Call, held: Permit | Question | undefined): Promise<void> | undefined {
    return held instanceof Question ? admitted(call, held) : undefined;
  }

  override exit(call: Call, held: Permit | Question | undefined): void {
    const { classifier } = this.breakers;
    if (!(held instanceof Question)) return leave(call, held, classifier);
    held.over = true;
    // Without a permit it was rejected, as if it had not entered.
    if (held.permit !== undefined) leave(call, held.permit, classifier);
  }

  protected override turnAway(call: Call, breaker: CircuitBreaker): Question {
    const answer = breaker.ask(call.now());
    return answer === undefined ? super.turnAway(call, breaker) : new Question(breaker, answer);
  }
}

/** @throws {CircuitOpenError} when the call is not admitted */
async function admitted(call: Call, question: Question): Promise<void> {
  const { breaker } = question;
  const permit = await question.answer;
  if (question.over) return permit?.ignore();
  call.tick();
  if (permit === undefined) throw rejection(call, breaker);
  question.permit = permit;
  if (permit.probe) permit.holding = call.hold(breaker);
}
