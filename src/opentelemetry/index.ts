export { traceExemplar } from './exemplar.js';
export { ResilienceMetricProducer } from './metric-producer.js';
export { ResilienceOpenTelemetryModule } from './opentelemetry.module.js';
export type { ResilienceOpenTelemetryOptions } from './options.js';
