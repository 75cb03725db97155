import { isResilienceError } from '../../common/errors.js';
import { distance } from '../../common/outcomes/error-matcher.js';
import type { Call } from '../../pipeline/call.js';
import { Stage } from '../../pipeline/stage.js';
import type { PolicySite } from '../policy.js';
import { type Answer, NO_ANSWER } from './answer.js';
import { withCause } from './cause.js';
import type { FallbackContext } from './handler.js';
import type { Choice, FallbackSettings } from './options.js';

/** By subject, so that changes of the options, even switching the policy off and on, keep the count. */
const runningBySubject = new WeakMap<PolicySite, { count: number }>();

/** Answers the call when everything inside this stage has failed. */
export class FallbackStage extends Stage {
  override readonly keepsResults: boolean;
  private readonly storing: readonly Answer[];
  /** Calls that are being answered. */
  private readonly running: { count: number };

  constructor(
    private readonly settings: FallbackSettings,
    private readonly site: PolicySite,
  ) {
    super();
    this.storing = settings.choices
      .map(({ answer }) => answer)
      .filter((answer) => answer.store !== undefined);
    this.keepsResults = this.storing.length > 0;
    this.running = runningBySubject.get(site) ?? { count: 0 };
    runningBySubject.set(site, this.running);
  }

  override react(call: Call): Promise<void> | void {
    if (!call.failed) return this.storing.length === 0 ? undefined : this.store(call);
    if (call.outcomeBy(this.settings.classifier) !== 'failure') return;
    const answer = nearest(this.settings.choices, call.error);
    if (answer === undefined) return;
    const full = this.running.count >= this.settings.maxConcurrent;
    call.answered = { error: call.error, at: call.now(), by: full ? 'rejected' : 'failure' };
    if (!full) return this.answer(call, answer);
    this.reportRejection();
  }

  /** Stores a good result, unless a policy rejected it or something that is not live contributed to it. */
  private store(call: Call): void {
    if (call.resultRejected || call.source !== 'live' || call.liveness?.live === false) return;
    for (const answer of this.storing) answer.store!(call);
  }

  private async answer(call: Call, answer: Answer): Promise<void> {
    const { running } = this;
    running.count += 1;
    try {
      await this.giveAnswer(call, answer);
    } finally {
      running.count -= 1;
    }
  }

  private async giveAnswer(call: Call, answer: Answer): Promise<void> {
    const { error, attempt, waitsEnded } = call;
    const { name } = this.site;
    const rejected = isResilienceError(error);
    const context: FallbackContext = { name, error, rejected, attempts: attempt };
    let result: unknown;
    try {
      result = await answer.answer(call, context);
    } catch (thrown) {
      if (call.waitsEnded === waitsEnded) this.report(call, answer, error, 'failure');
      throw withCause(thrown, error);
    }
    if (call.waitsEnded !== waitsEnded) return; // too late: the call has continued without it
    if (result === NO_ANSWER) return this.report(call, answer, error, 'failure');
    call.succeed(result);
    if (call.failed) return this.report(call, answer, error, 'failure'); // the call does not accept this result: a stream
    call.source = call.ageMs === undefined ? 'fallback' : 'stale';
    this.report(call, answer, error, 'success');
  }

  /** The call keeps its error. */
  private reportRejection(): void {
    const { name, events } = this.site;
    if (!events.countRejection()) return;
    events.emit({ type: 'rejected', name, policy: 'fallback', code: 'FALLBACK_FULL' });
  }

  private report(
    call: Call,
    { label }: Answer,
    error: unknown,
    outcome: 'success' | 'failure',
  ): void {
    call.answered!.by = outcome;
    const { name, events } = this.site;
    if (!events.active('fallback')) return;
    const { callId, ageMs } = call;
    events.emit({
      type: 'fallback',
      name,
      callId,
      handler: label,
      outcome,
      error,
      ...(ageMs !== undefined && { stale: true, ageMs }),
    });
  }
}

/** The answer whose error class is nearest to the error; an answer for all errors comes last. */
function nearest(choices: readonly Choice[], error: unknown): Answer | undefined {
  let best: Answer | undefined;
  let least = Infinity;
  for (const { on, answer } of choices) {
    if (on === undefined) {
      best ??= answer;
      continue;
    }
    for (const matcher of on) {
      const steps = distance(matcher, error);
      if (steps === undefined || steps >= least) continue;
      least = steps;
      best = answer;
    }
  }
  return best;
}
