export type { CallContext } from './commands/call-context.js';
export {
  CommandCancelledError,
  type CommandCallState,
  type CommandHandle,
} from './commands/command-handle.js';
export type { Command, CommandDefinition } from './commands/command.js';
export type { ExecuteOptions, NamedPipeline } from './commands/named-pipeline.js';
export { RESILIENCE_SERVICE, ResilienceService } from './commands/resilience.service.js';
export type { CommandSnapshot } from './commands/snapshot.js';
export { type Clock, type Timer } from './common/clock.js';
export { type Duration } from './common/duration.js';
export {
  ResilienceConfigurationError,
  ResilienceError,
  isResilienceError,
} from './common/errors.js';
export { isFailure } from './common/outcomes/default-outcome.js';
export type { ErrorClass, ErrorMatcher } from './common/outcomes/error-matcher.js';
export type { Outcome, OutcomeOptions, ResultOutcomeOptions } from './common/outcomes/outcome.js';
export { Bulkhead } from './decorators/bulkhead.decorator.js';
export { CircuitBreaker } from './decorators/circuit-breaker.decorator.js';
export { composePolicies } from './decorators/compose-policies.js';
export { type PolicyDecorator, type Protectable } from './decorators/define.js';
export { Fallback } from './decorators/fallback.decorator.js';
export type { MethodPolicyDecorator } from './decorators/method-policy-decorator.js';
export { RateLimit } from './decorators/rate-limit.decorator.js';
export { Retry } from './decorators/retry.decorator.js';
export { Signal, type SignalDecorator } from './decorators/signal.decorator.js';
export { Timeout } from './decorators/timeout.decorator.js';
export { UsePipeline } from './decorators/use-pipeline.decorator.js';
export {
  type EnvironmentOptions,
  overridesFromEnv,
} from './execution/configuration/environment.js';
export { ClientGoneError } from './execution/client-gone-error.js';
export { ResilienceExceptionFilter } from './execution/handlers/resilience-exception.filter.js';
export type {
  NamedConfiguration,
  Overrides,
  Patch,
  PatchNote,
  PipelineOptions,
  PolicyDefaults,
  ResilienceFeatureOptions,
  ResilienceModuleOptions,
  ResilienceOptionsFactory,
} from './execution/module-options.js';
export type { FleetOptions } from './fleet/options.js';
export type * from './fleet/store.js';
export type { CallReport } from './pipeline/call-report.js';
export { keepOnlyLive } from './execution/handlers/keep-only-live.js';
export type {
  CircuitPhase,
  CircuitReply,
  CircuitStep,
  CircuitView,
  FleetSettings,
  InstanceInfo,
  LimitDecision,
  LimitRequest,
  LivingInstance,
  PlacesReply,
  PlacesStep,
  QuorumRule,
  ResilienceStore,
  SharedOverride,
  StoreMessage,
} from './fleet/store.js';
export { withReport } from './pipeline/with-report.js';
export type { PipelineDescription, PolicyDescription } from './pipeline/description.js';
export type { Switchable } from './policies/switchable.js';
export {
  type Backoff,
  type BackoffFunction,
  type BackoffSpec,
  type ConstantOptions,
  type DecorrelatedOptions,
  type ExponentialOptions,
  type FibonacciOptions,
  type Jitter,
  type LinearOptions,
  constant,
  decorrelated,
  exponential,
  fibonacci,
  linear,
} from './policies/backoff/backoff.js';
export {
  BulkheadFullError,
  type BulkheadFullReason,
} from './policies/bulkhead/bulkhead-full-error.js';
export type { BulkheadOptions } from './policies/bulkhead/options.js';
export type { BulkheadSnapshot } from './policies/bulkhead/snapshot.js';
export type { PolicyKind, PolicyOptions, StageName } from './policies/canonical-order.js';
export type { CircuitBreaker as Breaker } from './policies/circuit-breaker/circuit-breaker.js';
export { CircuitOpenError } from './policies/circuit-breaker/circuit-open-error.js';
export type { CircuitBreakerOptions, HalfOpenOptions } from './policies/circuit-breaker/options.js';
export type { BreakerScope, QuorumOptions, QuorumScope } from './policies/circuit-breaker/scope.js';
export type { OverrideOptions } from './policies/circuit-breaker/override.js';
export type { Permit } from './policies/circuit-breaker/permit.js';
export type { BreakerLimits, BreakerSnapshot } from './policies/circuit-breaker/snapshot.js';
export type { WindowOptions } from './policies/circuit-breaker/window-options.js';
export {
  type FallbackAnswer,
  type FallbackChoice,
  type FallbackContext,
  type FallbackFunction,
  type FallbackHandler,
  type ValueFallback,
  fallbackValue,
} from './policies/fallback/handler.js';
export type { CommandFallback } from './policies/fallback/command-fallback.js';
export type { FallbackOptions, GivenFallback } from './policies/fallback/options.js';
export {
  type StaleFallback,
  type StaleIfErrorOptions,
  staleIfError,
} from './policies/fallback/stale-if-error.js';
export type { Key } from './policies/key.js';
export type { Cost } from './policies/rate-limit/cost.js';
export type { RateLimitOptions } from './policies/rate-limit/options.js';
export {
  RateLimitedError,
  type RateLimitedReason,
} from './policies/rate-limit/rate-limited-error.js';
export type { RateLimitSnapshot } from './policies/rate-limit/snapshot.js';
export type { Scope } from './policies/scope.js';
export type { RetryOptions } from './policies/retry/options.js';
export type { TimeoutOptions } from './policies/timeout/options.js';
export { TimeoutError } from './policies/timeout/timeout-error.js';
export { type GobreakerCounts, type GobreakerSettings, gobreaker } from './presets/gobreaker.js';
export {
  type HystrixGoSettings,
  type HystrixPolicies,
  type HystrixSettings,
  hystrix,
  hystrixGo,
} from './presets/hystrix.js';
export type { BulkheadView } from './registry/bulkhead-view.js';
export { BULKHEAD_REGISTRY, BulkheadRegistry } from './registry/bulkhead.registry.js';
export {
  CIRCUIT_BREAKER_REGISTRY,
  CircuitBreakerRegistry,
} from './registry/circuit-breaker.registry.js';
export type { RateLimitView } from './registry/rate-limit-view.js';
export { RATE_LIMIT_REGISTRY, RateLimitRegistry } from './registry/rate-limit.registry.js';
export {
  RESILIENCE_MODULE_OPTIONS,
  type ResilienceModuleAsyncOptions,
  ResilienceModule,
} from './resilience.module.js';
export type { EventIterator, EventIteratorOptions } from './telemetry/event-iterator.js';
export { resilienceEventKinds } from './telemetry/event-kinds.js';
export type * from './telemetry/events.js';
export type { LogOptions } from './telemetry/log/log-options.js';
export type {
  LatencySnapshot,
  MetricsSnapshot,
  OutcomeCounts,
} from './telemetry/metrics/snapshot.js';
export {
  RESILIENCE_EVENTS,
  ResilienceEvents,
  type ResilienceEventListener,
} from './telemetry/resilience-events.js';
export type {
  AsynchronousMethod,
  MethodPolicies,
  PoliciesByMethod,
  ProtectOptions,
} from './third-parties/options.js';
export { protectProvider } from './third-parties/protect-provider.js';
export type { FetchOptions } from './http/fetch.js';
export type { HttpPolicies } from './http/http-client.js';
export { FailedAnswerError, type HttpAnswer, type HttpRequest } from './http/http-rules.js';
