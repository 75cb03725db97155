import { type InjectionToken, Logger } from '@nestjs/common';
import type { ModuleRef, ModulesContainer } from '@nestjs/core';
import { systemClock } from '../common/clock.js';
import { Complaints } from '../common/complaints.js';
import { legibleThroughout } from '../common/legible.js';
import { Problems } from '../common/options-reader.js';
import { show } from '../common/printable.js';
import { type QuietLogger, quietLogger } from '../common/quiet-logger.js';
import { CircuitBreakerRegistry } from '../registry/circuit-breaker.registry.js';
import type { PartStore } from '../registry/named-parts.js';
import type { Configure } from '../registry/named-registry.js';
import { EventLog, writesJson } from '../telemetry/log/event-log.js';
import { readLogOptions } from '../telemetry/log/log-options.js';
import { ResilienceEvents } from '../telemetry/resilience-events.js';
import { Configuration } from './configuration/configuration.js';
import { featuresIn } from './configuration/features.js';
import { ROOT, type ResilienceModuleOptions } from './module-options.js';
import type { RuntimeRef } from './runtime-ref.js';
import { Runtime } from './runtime.js';

/** For the registries, which do not wait for the runtime. */
export function configureBy(ref: RuntimeRef): Configure {
  return (target, patch, where) =>
    ref.runtime!.planner.configure(target, legibleThroughout(patch), {}, where);
}

function loggerOf({ logger }: ResilienceModuleOptions): QuietLogger | undefined {
  return logger === false ? undefined : quietLogger(logger ?? new Logger('Resilience'));
}

export function createEvents(options: ResilienceModuleOptions): ResilienceEvents {
  const logger = loggerOf(options);
  const complaints = new Complaints(options.clock ?? systemClock, (message) => {
    logger?.warn(message);
  });
  return new ResilienceEvents((error, listener) =>
    complaints.complain(listener, () => `a listener of ResilienceEvents threw ${show(error)}`),
  );
}

export function createRuntime(
  options: ResilienceModuleOptions,
  modules: ModulesContainer,
  ref: RuntimeRef,
  parts: PartStore,
  events: ResilienceEvents,
  moduleRef: ModuleRef,
): Runtime {
  const configuration = new Configuration(options, featuresIn(modules));
  const logger = loggerOf(options);
  const resolve = (token: unknown): unknown => {
    try {
      return moduleRef.get<unknown>(token as InjectionToken, { strict: false });
    } catch {
      return undefined;
    }
  };
  const settings = readLogOptions(options.logging, ROOT, new Problems());
  if (logger !== undefined && settings !== undefined) {
    const breakers = new CircuitBreakerRegistry(parts, configureBy(ref));
    new EventLog({
      events,
      clock: options.clock ?? systemClock,
      logger,
      settings,
      takesFields: () => writesJson(options.logger),
      factsOf: (name) => (breakers.has(name) ? breakers.get(name).snapshot() : undefined),
    });
  }
  const runtime = new Runtime({ configuration, events, parts, logger, resolve });
  ref.runtime = runtime;
  return runtime;
}
