import type { Policy, PolicySite } from '../policy.js';
import { CircuitBreaker } from './circuit-breaker.js';
import { CircuitBreakerStage } from './circuit-breaker-stage.js';
import { SharedCircuitBreakerStage } from './shared-circuit-breaker-stage.js';
import { SharedCircuitBreaker } from './shared-circuit-breaker.js';
import { environmentOf } from './environment.js';
import { KeyedCircuitBreakers } from './keyed-circuit-breakers.js';
import {
  type BreakerSettings,
  type CircuitBreakerOptions,
  type CircuitBreakerSettings,
  readCircuitBreakerOptions,
} from './options.js';
import { scopeOf } from './scope.js';
import { circuitBreakerShape } from './shape.js';

const KIND = 'circuitBreaker';

export const circuitBreakerPolicy: Policy<
  typeof KIND,
  CircuitBreakerOptions,
  CircuitBreakerSettings,
  string | CircuitBreakerOptions
> = {
  kind: KIND,
  label: '@CircuitBreaker',
  shape: circuitBreakerShape,
  nested: ['halfOpen'],
  normalize: (given) => (typeof given === 'string' ? { name: given } : given),
  read: readCircuitBreakerOptions,
  outcomes: ({ breaker }) => breaker.classifier,
  part: (settings) => ({ name: settings.name, settings }),
  reconfigure: (part, settings) => {
    if (part instanceof CircuitBreaker) part.reconfigure(settings.breaker);
    else (part as KeyedCircuitBreakers).reconfigure(settings);
  },
  stages: ({ name }, site) => ({
    'circuit breaker': () => {
      const breakers = obtainBreakers(name ?? site.partNameOf(KIND), site);
      return breakers.shared
        ? new SharedCircuitBreakerStage(breakers)
        : new CircuitBreakerStage(breakers);
    },
  }),
  inForce: ({ breaker, key, maxKeys }) => ({
    ...optionsInForce(breaker),
    ...(key !== undefined && { maxKeys }),
  }),
  snapshot: (_settings, part) => ({
    circuitBreaker: part instanceof CircuitBreaker ? part.snapshot() : undefined,
  }),
};

function optionsInForce(settings: BreakerSettings): Readonly<Record<string, unknown>> {
  const { failureRate, slowCallRate, slowCallDuration, consecutiveFailures, minimumCalls } =
    settings;
  const { openForMs, maxProbes, successThreshold, maxProbeDuration, maxCallDuration } = settings;
  return {
    failureRate,
    slowCallRate,
    consecutiveFailures,
    ...(slowCallRate !== undefined && { slowCallDuration }),
    minimumCalls,
    window: settings.window.id,
    openFor: openForMs,
    halfOpen: { maxCalls: maxProbes, successThreshold, maxDuration: maxProbeDuration },
    maxCallDuration,
    scope: scopeOf(settings.sharing),
  };
}

/** The breaker or breakers of that name, made with the settings of the subject that defines the name. */
function obtainBreakers(name: string, site: PolicySite): CircuitBreaker | KeyedCircuitBreakers {
  return site.named.obtain(KIND, name, (settings: CircuitBreakerSettings) => {
    const environment = environmentOf(site);
    site.onClose(() => environment.pulse?.rest());
    const { fleet } = site;
    const create = (own: string, breaker: BreakerSettings): CircuitBreaker =>
      breaker.sharing === undefined || fleet === undefined
        ? new CircuitBreaker(own, breaker, environment)
        : new SharedCircuitBreaker(own, breaker, environment, fleet);
    return settings.key === undefined
      ? create(name, settings.breaker)
      : new KeyedCircuitBreakers(name, settings, create, (message) => site.warn(message));
  });
}
