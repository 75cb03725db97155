export type { CircuitHealth } from './circuit-health.js';
export type { DependencyHealth, StoreHealth } from './dependency-health.js';
export { type ResilienceHealth, ResilienceHealthIndicator } from './resilience-health.indicator.js';
