import { TraceFlags, trace } from '@opentelemetry/api';

/**
 * The current trace, as an exemplar for `ResiliencePrometheusModule.forRoot({ exemplar: traceExemplar })`;
 * `undefined` when there is none or it is not sampled.
 */
export function traceExemplar(): Readonly<Record<string, string>> | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined || (span.traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
  return { trace_id: span.traceId, span_id: span.spanId };
}
