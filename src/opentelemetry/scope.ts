/** The name of the instrumentation scope of all metrics and spans. */
export const SCOPE = 'nest-resilience';
