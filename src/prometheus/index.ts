export type { ResiliencePrometheusOptions } from './options.js';
export { ResiliencePrometheusModule } from './prometheus.module.js';
