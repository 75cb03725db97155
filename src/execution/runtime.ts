import { ExternalContextCreator } from '@nestjs/core';
import { brand } from '../common/brand.js';
import { type Clock, systemClock } from '../common/clock.js';
import { isPlainObject } from '../common/objects.js';
import { legibleThroughout } from '../common/legible.js';
import { look } from '../common/outcomes/look.js';
import { OptionsReader, Problems } from '../common/options-reader.js';
import { show } from '../common/printable.js';
import type { QuietLogger } from '../common/quiet-logger.js';
import { Fleet } from '../fleet/fleet.js';
import { type FleetOptions, isStore, readFleetOptions } from '../fleet/options.js';
import type { PipelineDescription } from '../pipeline/description.js';
import { Sleeper } from '../pipeline/sleeper.js';
import type { PartStore } from '../registry/named-parts.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import { CallPlans } from './call-plans.js';
import { callAsSubstitute } from './substitute-call.js';
import { type PipelineExplanation, explained } from './explanation.js';
import { InstanceRegister } from './instances.js';
import type { Configuration } from './configuration/configuration.js';
import type { Layers } from './configuration/layers.js';
import type { Patch, PatchNote, ResilienceModuleOptions } from './module-options.js';
import { methodsOf } from './methods/owned-method.js';
import type { Plan } from './plan.js';
import { readNote } from './changes/patch-note.js';
import { Planner } from './planner.js';
import { SharedChanges } from './changes/shared-changes.js';
import type { SiteServices } from './subject-site.js';

/** The dependencies of a runtime. */
export interface RuntimeHost {
  readonly configuration: Configuration;
  readonly events: ResilienceEvents;
  readonly parts: PartStore;
  readonly logger: QuietLogger | undefined;
  /** A provider, wherever it is; `undefined` when there is none. */
  resolve(token: unknown): unknown;
}

/** Injection token of the {@link Runtime}. */
export const RUNTIME = brand('Runtime');

/** The library in one application: its clock, its log, its instances and its plans. */
export class Runtime {
  readonly clock: Clock;
  readonly events: ResilienceEvents;
  /** The instances that the application has built. */
  readonly instances = new InstanceRegister();
  private readonly sleeper: Sleeper;
  private readonly controllers = new Map<Function, unknown>();
  readonly planner: Planner;
  /** The plans of calls of decorated methods. */
  readonly calls: CallPlans;
  /** The fleet that the application is part of; `undefined` when it has no store. */
  readonly fleet: Fleet | undefined;
  private readonly sharedChanges: SharedChanges | undefined;
  private closed = false;
  private readonly onClose = new Set<() => void>();
  private readonly warned = new Set<string>();

  constructor(private readonly host: RuntimeHost) {
    this.clock = host.configuration.options.clock ?? systemClock;
    this.events = host.events;
    this.sleeper = new Sleeper(this.clock);
    this.fleet = this.fleetOf(host.configuration.options);
    this.planner = new Planner(this.offer(), host.parts, (line) => this.log(line, 'debug'));
    this.sharedChanges = this.fleet && this.sharedChangesOf(this.fleet);
    this.calls = new CallPlans((method) => this.planner.planOf(method));
  }

  /** The shared instance of a controller; `undefined` when each request has its own. */
  controllerOf(type: Function): unknown {
    if (!this.controllers.has(type)) this.controllers.set(type, this.host.resolve(type));
    return this.controllers.get(type);
  }

  /** Nest's `ApplicationConfig`, with the global filters; not a provider, so it is taken from an object that holds it. */
  get applicationConfig(): unknown {
    const creator = this.host.resolve(ExternalContextCreator);
    return look(look(creator, 'filtersContextCreator'), 'config');
  }

  get configuration(): Configuration {
    return this.host.configuration;
  }

  /** The layers of the configuration in force. */
  get layers(): Layers {
    return this.host.configuration.layers;
  }

  /** @throws {Error} when the method is not decorated */
  describe(owner: Function, method: string): PipelineDescription {
    const found = methodsOf(owner).find(({ decorated }) => String(decorated.key) === method);
    if (found?.owner !== owner)
      throw new Error(`${owner.name || show(owner)}.${method} is not decorated`);
    return this.describePlan(this.planner.planOf(found));
  }

  /** Describes a plan, with the current options of its named parts. */
  describePlan({ description, context }: Plan): PipelineDescription {
    const policies = description.policies.map(({ kind, options }) => {
      const name = (options.name as string | undefined) ?? context.partNameOf(kind);
      const shared = this.host.parts.declarationOf(kind, name);
      return { kind, options: { ...options, ...shared?.options } };
    });
    return { ...description, policies };
  }

  /** The plans in force, each option with the layer that it comes from. */
  *explain(): IterableIterator<PipelineExplanation> {
    for (const plan of this.planner.all()) yield explained(plan, this.host.parts);
  }

  /**
   * Changes options while the application runs.
   *
   * @throws {ResilienceConfigurationError} when the change is wrong; then nothing has changed
   */
  configure(target: string, patch: Patch | null, note: PatchNote = {}): void {
    this.planner.requireStarted();
    const problems = new Problems();
    const where = `configure(${show(target)})`;
    const { sharedChanges } = this;
    const read = readNote(note, sharedChanges !== undefined, where, problems);
    const change = legibleThroughout(patch);
    if (read.scope === 'shared' && sharedChanges !== undefined) {
      sharedChanges.make(target, change, read, problems);
    } else this.planner.configure(target, change, read, where, problems);
  }

  /** The named part of that kind that a plan uses. */
  partOf<T extends object>(kind: string, { settings, context }: Plan): T | undefined {
    const own = settings.get(kind) as { readonly name?: string | undefined } | undefined;
    return own && this.host.parts.find<T>(kind, own.name ?? context.partNameOf(kind));
  }

  /** Warns operators, once per message. */
  warn(message: string): void {
    if (this.warned.has(message)) return;
    if (this.warned.size < 1_000) this.warned.add(message);
    this.host.logger?.warn(message);
  }

  /** Writes a line to the log. */
  log(message: string, level: 'log' | 'warn' | 'debug' = 'log'): void {
    this.host.logger?.[level](message);
  }

  /** Call it when all modules of the application have been initialized. */
  start(): void {
    this.fleet?.start();
  }

  /** Call it when the application closes: ends all waits, and leaves no timer behind. */
  close(): void {
    this.closed = true;
    this.sleeper.close();
    for (const callback of this.onClose) callback();
    this.fleet?.close();
    this.events.close(); // last, so that its consumers get the rejections of waiting calls
  }

  /** Wrong options are reported when the application starts. */
  private fleetOf({
    store,
    fleet,
    random = Math.random,
  }: ResilienceModuleOptions): Fleet | undefined {
    if (!isStore(store)) return undefined;
    const { clock, events } = this;
    const read = new OptionsReader<FleetOptions>(
      isPlainObject(fleet) ? fleet : {},
      '',
      new Problems(),
    );
    const settings = readFleetOptions(read);
    return new Fleet({
      store,
      settings,
      clock,
      random,
      events,
      log: (line, level) => this.log(line, level),
    });
  }

  private sharedChangesOf({ changes }: Fleet): SharedChanges {
    const { clock, events, planner } = this;
    return new SharedChanges({
      changes,
      live: planner.changes,
      clock,
      events,
      warn: (line) => this.log(line, 'warn'),
    });
  }

  /** The services for the policies of all subjects. */
  private offer(): SiteServices {
    const { clock, events, sleeper, host } = this;
    return {
      clock,
      random: host.configuration.options.random ?? Math.random,
      events,
      sleeper,
      configuration: host.configuration,
      named: host.parts,
      fleet: this.fleet,
      warn: (message) => this.warn(message),
      log: (message, level) => this.log(message, level),
      onClose: (callback) => {
        if (this.closed) callback();
        else this.onClose.add(callback);
        return () => this.onClose.delete(callback);
      },
      resolve: (token) => host.resolve(token),
      callAsSubstitute,
      instancesOf: (method) => this.instances.of(method),
    };
  }
}
