import { types } from 'node:util';
import { show } from '../../common/printable.js';
import { retryAfterOf } from '../../common/outcomes/retry-after.js';
import type { Call } from '../../pipeline/call.js';
import { AGAIN, type Reaction, Stage } from '../../pipeline/stage.js';
import type { ExhaustionReason } from '../../telemetry/events.js';
import type { PolicySite } from '../policy.js';
import type { RetrySettings } from './options.js';

/** The history of a call; made when the call first fails. */
interface Progress {
  readonly startedAt: number;
  previousDelay: number | undefined;
}

/** The start of the call, until it first fails. */
type Held = number | Progress;

/** After a failure, runs the stages inside it again, until they succeed or there is a reason to stop. */
export class RetryStage extends Stage<Held> {
  private warned = false;

  constructor(
    private readonly settings: RetrySettings,
    private readonly site: PolicySite,
  ) {
    super();
  }

  override enter(call: Call): Held {
    return call.now();
  }

  override react(call: Call, held: Held): Promise<Reaction> | void {
    if (call.outcomeBy(this.settings.classifier) !== 'failure') return;
    const progress =
      typeof held === 'number' ? { startedAt: held, previousDelay: undefined } : held;
    call.held[this.level] = progress;
    const { attempt, error } = call;
    const delayMs = attempt <= this.settings.maxRetries ? this.nextDelay(call, progress) : 0;
    const reason = this.reasonToStop(call, progress, delayMs);
    if (reason !== undefined) return this.stop(call, reason);

    progress.previousDelay = delayMs;
    const { name, events } = this.site;
    if (events.active('retry')) {
      events.emit({ type: 'retry', name, callId: call.callId, attempt, delayMs, error });
    }
    return this.waitAndRetry(call, delayMs);
  }

  private reasonToStop(
    call: Call,
    { startedAt }: Progress,
    delayMs: number,
  ): ExhaustionReason | undefined {
    const { maxRetries, maxElapsedTime } = this.settings;
    if (call.attempt > maxRetries) return 'max-retries';
    if (!call.wantsAnotherAttempt()) return 'answered';
    if (!(delayMs >= 0 && delayMs < Infinity)) return 'backoff';
    const resumesAt = call.now() + delayMs;
    if (resumesAt - startedAt > maxElapsedTime) return 'max-elapsed-time';
    if (resumesAt >= call.deadline) return 'deadline';
    return this.wouldBeRejected(call, resumesAt) ? 'circuit-open' : undefined;
  }

  /** Whether the next attempt would only be rejected, with an error that is not retried. */
  private wouldBeRejected({ nextRejection: blockedBy }: Call, resumesAt: number): boolean {
    if (blockedBy === undefined || resumesAt >= blockedBy.until) return false;
    return this.settings.classifier.ofError(blockedBy.rejection) !== 'failure';
  }

  private nextDelay(call: Call, { previousDelay }: Progress): number {
    const { backoff, retryAfterCap } = this.settings;
    const { random, clock } = this.site;
    const { attempt, error } = call;
    let delay: unknown;
    try {
      delay = backoff({ attempt, error, previous: previousDelay, random });
    } catch (thrown) {
      return this.noDelay('threw', thrown);
    }
    if (typeof delay !== 'number' || Number.isNaN(delay)) return this.noDelay('returned', delay);
    if (retryAfterCap === 0 || !call.failed || delay < 0) return delay;
    const asked = retryAfterOf(error, clock.wall());
    return asked === undefined ? delay : Math.max(delay, Math.min(asked, retryAfterCap));
  }

  /** Ends the retries because the backoff function is faulty. Warns once, as it will fail each time. */
  private noDelay(did: 'threw' | 'returned', what: unknown): number {
    const promise = types.isPromise(what);
    if (promise) what.catch(() => {}); // an unhandled rejection would end the process
    if (this.warned) return NaN;
    this.warned = true;
    const { name } = this.site;
    const instead = did === 'returned' ? ' instead of milliseconds' : '';
    const shown = promise ? 'a promise' : show(what);
    this.site.warn(`${name}: the backoff function ${did} ${shown}${instead}; not retried`);
    return NaN;
  }

  private async waitAndRetry(call: Call, delayMs: number): Promise<Reaction> {
    const rested = await this.site.sleeper.sleep(delayMs, call);
    call.throwIfInterrupted();
    if (rested) return AGAIN;
    this.stop(call, 'shutdown');
  }

  private stop(call: Call, reason: ExhaustionReason): void {
    call.resultRejected = !call.failed;
    const { name, events } = this.site;
    if (!events.active('retries-exhausted')) return;
    const { callId, attempt, error } = call;
    events.emit({ type: 'retries-exhausted', name, callId, attempts: attempt, reason, error });
  }
}
