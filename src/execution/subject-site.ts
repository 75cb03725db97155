import type { Clock } from '../common/clock.js';
import { Problems } from '../common/options-reader.js';
import type { FleetSite } from '../fleet/shared-circuit.js';
import type { Sleeper } from '../pipeline/sleeper.js';
import type { Instances, NamedParts, PolicySite, ProtectedMethod } from '../policies/policy.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import { type EffectiveOptions, effectiveOptions, isShared, kindsOf } from './effective-options.js';
import type { Configuration } from './configuration/configuration.js';
import type { Layers } from './configuration/layers.js';
import { decoratedMethodOf } from './methods/decorated-method.js';
import { type Subject, methodSubject } from './subject.js';

/** The services of an application for the policies of all its subjects. */
export interface SiteServices extends Pick<
  PolicySite,
  | 'clock'
  | 'random'
  | 'events'
  | 'sleeper'
  | 'named'
  | 'fleet'
  | 'warn'
  | 'onClose'
  | 'resolve'
  | 'callAsSubstitute'
> {
  readonly configuration: Configuration;
  /** Writes a line to the log, each time. */
  log(message: string, level?: 'log' | 'warn'): void;
  instancesOf(method: ProtectedMethod): Instances;
}

/** A subject as its policies see it. There may be very many sites, so everything that they can share is in `services`. */
export class SubjectSite implements PolicySite {
  constructor(
    private readonly services: SiteServices,
    readonly subject: Subject,
  ) {}

  get name(): string {
    return this.subject.name;
  }

  get method(): ProtectedMethod | undefined {
    return this.subject.method;
  }

  get anyWork(): boolean {
    return this.subject.anyWork;
  }

  get instances(): Instances | undefined {
    const { instances, method } = this.subject;
    if (instances !== undefined) return instances;
    if (method === undefined || typeof method.target === 'function') return undefined;
    return this.services.instancesOf(method);
  }

  get clock(): Clock {
    return this.services.clock;
  }

  get random(): () => number {
    return this.services.random;
  }

  get events(): ResilienceEvents {
    return this.services.events;
  }

  get sleeper(): Sleeper {
    return this.services.sleeper;
  }

  get named(): NamedParts {
    return this.services.named;
  }

  get fleet(): FleetSite | undefined {
    return this.services.fleet;
  }

  partNameOf(kind: string): string {
    const { name, pipeline } = this.subject;
    return isShared(kind, this.subject, this.services.configuration.layers) ? pipeline! : name;
  }

  /** Its options for one policy, and where they come from: merged at each call, since they are seldom needed. */
  effectiveOptions(kind: string): EffectiveOptions {
    const { subject, services } = this;
    const { layers } = services.configuration;
    return effectiveOptions(kind, subject, subject.title, layers, new Problems());
  }

  warn(message: string): void {
    this.services.warn(message);
  }

  onClose(callback: () => void): () => void {
    return this.services.onClose(callback);
  }

  optionsOf(other: string, kind: string): object | undefined {
    const { method } = this;
    return method && optionsOfNeighbour(method, other, kind, this.services.configuration.layers);
  }

  resolve(token: unknown): unknown {
    return this.services.resolve(token);
  }

  callAsSubstitute(self: unknown, name: string, args: readonly unknown[]): unknown {
    return this.services.callAsSubstitute(self, name, args);
  }
}

/** The options in force for a policy of another method of the class; `undefined` when it has no such policy. */
function optionsOfNeighbour(
  { owner, target }: ProtectedMethod,
  other: string,
  kind: string,
  layers: Layers,
): object | undefined {
  const decorated = decoratedMethodOf((target as Record<string, unknown>)[other]);
  if (decorated === undefined) return undefined;
  const subject = methodSubject({ decorated, owner, ownOnly: false });
  if (!kindsOf(subject, layers).includes(kind)) return undefined;
  const effective = effectiveOptions(kind, subject, subject.title, layers, new Problems());
  return effective.enabled ? effective.options : undefined;
}
