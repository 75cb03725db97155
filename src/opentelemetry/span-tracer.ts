import {
  type Attributes,
  type Context,
  type Span,
  SpanStatusCode,
  type Tracer,
  context,
  createContextKey,
  trace,
} from '@opentelemetry/api';
import { ask } from '../common/outcomes/look.js';
import type { CallTracer } from '../telemetry/call-tracer.js';
import type { AttemptEvent, CallEndEvent } from '../telemetry/events.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import { errorTypeOf } from './error-type.js';

/** A call that has not ended. */
interface TracedCall {
  readonly span: Span;
  readonly context: Context;
  attempt: Span | undefined;
}

/** Lets events without a call number find their call. */
const CALL = createContextKey('nest-resilience call');

/** A span for each call, and one for each attempt inside it, which is the parent that HTTP clients see. */
export class SpanTracer implements CallTracer {
  private readonly calls = new Map<number, TracedCall>();

  constructor(
    private readonly tracer: Tracer,
    /** Whether attempts are spans too, or only events of their call's span. */
    private readonly attemptSpans: boolean,
  ) {}

  aroundCall<T>(name: string, callId: number, run: () => T): T {
    const span = this.startSpan(name, { 'resilience.name': name }, context.active());
    if (span === undefined) return run();
    const call: TracedCall = {
      span,
      context: trace.setSpan(context.active(), span),
      attempt: undefined,
    };
    this.calls.set(callId, call);
    return context.with(call.context.setValue(CALL, call), run);
  }

  aroundAttempt<T>(callId: number, attempt: number, run: () => T): T {
    const call = this.calls.get(callId);
    if (call === undefined || !this.attemptSpans) return run();
    const span = this.startSpan('attempt', { 'resilience.attempt': attempt }, call.context);
    if (span === undefined) return run();
    call.attempt = span;
    return context.with(trace.setSpan(call.context, span).setValue(CALL, call), run);
  }

  /** An SDK that throws, such as in a sampler of the user's, does not fail the call. */
  private startSpan(name: string, attributes: Attributes, parent: Context): Span | undefined {
    return ask(() => this.tracer.startSpan(name, { attributes }, parent), undefined);
  }

  /** Listens to the events of the calls. @returns a function that ends that */
  listen(events: Pick<ResilienceEvents, 'on'>): () => void {
    const subscriptions = [
      events.on('call-end', (event) => this.endCall(event)),
      events.on('attempt', (event) => this.endAttempt(event)),
      events.on('retry', ({ attempt, delayMs }) =>
        tell('resilience.retry', {
          'resilience.attempt': attempt,
          'resilience.delay': delayMs / 1_000,
        }),
      ),
      events.on('rejected', ({ name, policy, code, observed = false }) =>
        tell('resilience.rejected', {
          'resilience.part': name,
          'resilience.policy': policy,
          'resilience.code': code,
          'resilience.observed': observed,
        }),
      ),
      events.on('queued', ({ name, waitedMs }) =>
        tell('resilience.queued', {
          'resilience.part': name,
          'resilience.wait': waitedMs / 1_000,
        }),
      ),
      events.on('throttled', ({ name, waitedMs }) =>
        tell('resilience.throttled', {
          'resilience.part': name,
          'resilience.wait': waitedMs / 1_000,
        }),
      ),
      events.on('fallback', ({ handler, outcome }) =>
        tell('resilience.fallback', {
          'resilience.handler': handler,
          'resilience.outcome': outcome,
        }),
      ),
    ];
    return () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      for (const { span } of this.calls.values()) span.end();
      this.calls.clear();
    };
  }

  private endAttempt({ callId, attempt, outcome, error, durationMs }: AttemptEvent): void {
    const call = this.calls.get(callId);
    if (call === undefined) return;
    const attributes: Attributes = {
      'resilience.outcome': outcome,
      ...(error !== undefined && { 'error.type': errorTypeOf(error) }),
    };
    const span = call.attempt;
    call.attempt = undefined;
    if (span === undefined) {
      call.span.addEvent('resilience.attempt', {
        'resilience.attempt': attempt,
        'resilience.duration': durationMs / 1_000,
        ...attributes,
      });
      return;
    }
    span.setAttributes(attributes);
    if (outcome === 'failure') fail(span);
    span.end();
  }

  private endCall({
    callId,
    attempts,
    outcome,
    source,
    ageMs,
    rejectedBy,
    error,
  }: CallEndEvent): void {
    const call = this.calls.get(callId);
    if (call === undefined) return;
    this.calls.delete(callId);
    const { span } = call;
    span.setAttributes({
      'resilience.attempts': attempts,
      'resilience.outcome': outcome,
      'resilience.source': source,
      ...(ageMs !== undefined && { 'resilience.stale.age': ageMs / 1_000 }),
      ...(rejectedBy && { 'resilience.rejected_by': rejectedBy.code }),
      ...(error !== undefined && { 'error.type': errorTypeOf(error) }),
    });
    const rejected = rejectedBy !== undefined && error !== undefined;
    if (outcome === 'failure' || rejected) fail(span);
    span.end();
  }
}

/** Adds an event to the span of the current call: events are emitted in the async context of their call. */
function tell(name: string, attributes: Attributes): void {
  const call = context.active().getValue(CALL) as TracedCall | undefined;
  call?.span.addEvent(name, attributes);
}

/** Without the error's message, which may hold data that must not be in traces. */
function fail(span: Span): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
}
