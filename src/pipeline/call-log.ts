import { defaultOutcome } from '../common/outcomes/default-outcome.js';
import type { Outcome, OutcomeRule } from '../common/outcomes/outcome.js';
import { isResilienceError } from '../common/errors.js';
import type { CallEndEvent, CallRejection } from '../telemetry/call-events.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import type { Call } from './call.js';
import type { CallReport } from './call-report.js';

/** Announces the beginnings and ends of calls and attempts: by events, and by reports. */
export class CallLog {
  /** @param name of the method (`Class.method`), command or pipeline */
  constructor(
    private readonly name: string,
    private readonly events: ResilienceEvents,
  ) {}

  /** Call it once, before anything else happens, if there is a listener. */
  begin(call: Call): void {
    call.begunAt = call.now();
    if (!this.events.hearsCallStarts) return;
    this.events.emit({ type: 'call-start', name: this.name, callId: call.callId });
    // The time of listeners is not part of the measurements of policies.
    call.tick();
  }

  /** The same as {@link end}, for a call that has succeeded at the first attempt. */
  endSuccess(call: Call, begunAt: number): void {
    const { events } = this;
    const onlyMeasured = call.reports === undefined && !events.hearsCallEnds;
    if (!onlyMeasured || call.streaming || call.keepsResults) return this.end(call, begunAt);
    events.meters.succeeded(this.name, call.now() - begunAt);
  }

  /** Call it once, when the pipeline has ended and the call has begun here. */
  end(call: Call, begunAt: number): void {
    const report = reportOf(this.name, call, begunAt);
    call.reports?.add(report);
    if (!this.events.hearsCalls) return;
    if (call.streaming) call.atEnd(() => this.endStream(call, report, begunAt));
    else this.tellEnd(call, report, call.failed ? call : undefined);
  }

  /** The outcome is that of its first item, unless it has broken later. */
  private endStream(call: Call, report: CallReport, begunAt: number): void {
    const { broken } = call;
    call.tick();
    const durationMs = call.now() - begunAt;
    const outcome = broken === undefined ? report.outcome : defaultOutcome(broken.error);
    this.tellEnd(call, { ...report, durationMs, outcome }, broken);
  }

  private tellEnd(
    call: Call,
    report: CallReport,
    failure: { readonly error: unknown } | undefined,
  ): void {
    const { events } = this;
    const rejectedBy = rejectionOf(call);
    const { meters, hearsCallEnds } = events;
    meters.ended(report, rejectedBy !== undefined);
    const { name, attempts, outcome, source, ageMs, durationMs } = report;
    const meterFailure = outcome === 'failure' && meters.wantFailures;
    if (!hearsCallEnds && !meterFailure) return;
    const event: { -readonly [Field in keyof CallEndEvent]: CallEndEvent[Field] } = {
      type: 'call-end',
      name,
      callId: call.callId,
      attempts,
      outcome,
      source,
      durationMs,
    };
    // Spreading fields that are mostly absent would take as long as everything else.
    if (ageMs !== undefined) event.ageMs = ageMs;
    if (rejectedBy !== undefined) event.rejectedBy = rejectedBy;
    if (failure !== undefined) event.error = failure.error;
    if (meterFailure) meters.failed(event);
    if (hearsCallEnds) events.emit(event);
  }

  /** @returns when the attempt has begun; `NaN` when its end has no listener */
  beginAttempt(call: Call): number {
    const { name, events } = this;
    if (events.active('attempt-start')) {
      events.emit({ type: 'attempt-start', name, callId: call.callId, attempt: call.attempt });
      call.tick();
    }
    return events.hearsAttempts ? call.now() : NaN;
  }

  /** @param startedAt of {@link beginAttempt} */
  endAttempt(call: Call, startedAt: number): void {
    if (Number.isNaN(startedAt) || !this.events.active('attempt')) return;
    const { callId, attempt, failed, error } = call;
    const durationMs = call.now() - startedAt;
    this.events.emit({
      type: 'attempt',
      name: this.name,
      callId,
      attempt,
      outcome: outcomeOf(call),
      durationMs,
      ...(failed && { error }),
    });
  }

  /** Emits an event when the work of an abandoned attempt ends. @param startedAt of {@link beginAttempt} */
  watchAbandoned(call: Call, work: PromiseLike<unknown>, startedAt: number): void {
    if (Number.isNaN(startedAt)) return;
    const { name, events } = this;
    const { attempt } = call;
    const ended = (outcome: Outcome): void => {
      call.tick();
      const durationMs = call.now() - startedAt;
      events.emit({ type: 'late', name, callId: call.callId, attempt, outcome, durationMs });
    };
    work.then(
      () => ended('success'),
      (error: unknown) => ended(defaultOutcome(error)),
    );
  }
}

const defaultRule: OutcomeRule = { ofError: defaultOutcome, ofResult: () => 'success' };

/** The outcome by the default rule, regardless of the options of single policies. */
function outcomeOf(call: Call): Outcome {
  return call.outcomeBy(defaultRule);
}

function reportOf(name: string, call: Call, begunAt: number): CallReport {
  const { attempt } = call;
  // A result made from answers that were not live is not live either; only known to calls that keep results.
  const { source, ageMs } = call.source === 'live' ? (call.liveness ?? call) : call;
  const durationMs = call.now() - begunAt;
  return { name, attempts: attempt, outcome: outcomeOf(call), source, ageMs, durationMs };
}

/** The policy of this pipeline that has rejected the last attempt, if one has. */
function rejectionOf(call: Call): CallRejection | undefined {
  const error = call.answered === undefined ? call.error : call.answered.error;
  if (error === undefined || error !== call.rejection || !isResilienceError(error))
    return undefined;
  return { policy: error.policy, name: error.policyName, code: error.code };
}
