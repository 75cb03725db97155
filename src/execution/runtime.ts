import type { LoggerService } from '@nestjs/common';
import { brand } from '../common/brand.js';
import { type Clock, systemClock } from '../common/clock.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { Problems } from '../common/options-reader.js';
import type { CallScope } from '../pipeline/call-scope.js';
import type { PipelineDescription } from '../pipeline/description.js';
import { Sleeper } from '../pipeline/sleeper.js';
import type { PolicySite } from '../policies/policy.js';
import type { PartStore } from '../registry/named-parts.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import { MethodCall } from './method-call.js';
import { type ResilienceModuleOptions, checkModuleOptions } from './module-options.js';
import { type Draft, type Plan, draftPlan, finishPlan } from './plan.js';
import { isHandler, sendsResponse } from './handlers.js';
import { type Site, policiesOf, siteOf, sitesOf } from './site.js';
import { asStream, iterate } from './streams.js';

/** What a runtime needs of its application. */
export interface RuntimeHost {
  readonly options: ResilienceModuleOptions;
  readonly events: ResilienceEvents;
  readonly parts: PartStore;
  readonly logger: Pick<LoggerService, 'log' | 'warn' | 'debug'> | undefined;
  /** A provider, wherever it is; `undefined` when there is none. */
  resolve(token: unknown): unknown;
}

/** Injection token of the {@link Runtime}. */
export const RUNTIME = brand('Runtime');

type PlansOfOwner = Map<Site, Plan>;

/** Runs the decorated methods of one application: makes a plan of each, and calls by it. */
export class Runtime {
  readonly clock: Clock;
  readonly events: ResilienceEvents;
  private readonly random: () => number;
  private readonly sleeper: Sleeper;
  private readonly plans = new Map<Function, PlansOfOwner>();
  private readonly onClose: (() => void)[] = [];
  private readonly warned = new Set<string>();

  constructor(private readonly host: RuntimeHost) {
    this.clock = host.options.clock ?? systemClock;
    this.random = host.options.random ?? Math.random;
    this.events = host.events;
    this.sleeper = new Sleeper(this.clock);
  }

  /**
   * Makes the plans of all these methods.
   *
   * @throws {ResilienceConfigurationError} with all problems of all of them, and those of the module's options
   */
  prepare(methods: Iterable<{ owner: Function; site: Site }>, problems = new Problems()): void {
    checkModuleOptions(this.host.options, problems);
    const drafts = Array.from(methods, ({ owner, site }) => this.draft(site, owner, problems));
    if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
    for (const draft of drafts) {
      const { name, stages } = this.keep(draft).description;
      this.host.logger?.debug?.(`${name}: ${[...stages, 'method'].join(' > ')}`);
    }
  }

  /** The plan of a method, made now when it was not known at bootstrap (a class that is loaded lazily). */
  planFor(site: Site, owner: Function): Plan {
    const known = this.plans.get(owner)?.get(site);
    if (known !== undefined) return known;
    const problems = new Problems();
    const draft = this.draft(site, owner, problems);
    if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
    return this.keep(draft);
  }

  /** Carries out a call of a decorated method by its plan. */
  invoke(
    plan: Plan,
    self: unknown,
    args: readonly unknown[],
    scope: CallScope | undefined,
  ): unknown {
    if (plan.returns !== 'promise') return this.stream(plan, self, args, scope);
    return plan.pipeline.run(new MethodCall(plan, self, args, this.clock, scope));
  }

  /** A stream begins a call of its own for each that subscribes to it. */
  private stream(
    plan: Plan,
    self: unknown,
    args: readonly unknown[],
    scope: CallScope | undefined,
  ): unknown {
    const begin = (): MethodCall => new MethodCall(plan, self, args, this.clock, scope);
    return plan.returns === 'iterable'
      ? iterate(() => plan.pipeline.run(begin()))
      : asStream(begin, (call) => plan.pipeline.run(call));
  }

  get options(): ResilienceModuleOptions {
    return this.host.options;
  }

  /** @throws {Error} when the method is not decorated */
  describe(owner: Function, method: string): PipelineDescription {
    const site = sitesOf(owner).find(({ key }) => String(key) === method);
    if (site === undefined) throw new Error(`${owner.name}.${method} is not decorated`);
    const { description } = this.planFor(site, owner);
    const { name } = description;
    const policies = description.policies.map(({ kind, options }) => {
      const shared = this.host.parts.optionsOf(kind, (options.name as string | undefined) ?? name);
      return { kind, options: { ...(shared ?? options) } };
    });
    return { ...description, policies };
  }

  /** Tells operators, once a message. */
  warn(message: string): void {
    if (this.warned.has(message)) return;
    if (this.warned.size < 1_000) this.warned.add(message);
    quietly(() => this.host.logger?.warn(message) as unknown);
  }

  /** Tells operators of something that happened. */
  log(message: string): void {
    quietly(() => this.host.logger?.log(message) as unknown);
  }

  /** The application closes: nobody waits for another attempt any more, and no timer is left. */
  close(): void {
    this.sleeper.close();
    for (const callback of this.onClose) callback();
  }

  private draft(site: Site, owner: Function, problems: Problems): Draft {
    return draftPlan(
      site,
      this.policySite(site, owner),
      this.host.options,
      this.host.parts,
      problems,
    );
  }

  private keep(draft: Draft): Plan {
    const { site, policySite } = draft;
    const plan = finishPlan(draft);
    const plans: PlansOfOwner = this.plans.get(policySite.owner) ?? new Map<Site, Plan>();
    this.plans.set(policySite.owner, plans.set(site, plan));
    return plan;
  }

  private policySite(site: Site, owner: Function): PolicySite {
    const { clock, random, events, sleeper, host } = this;
    const method = String(site.key);
    const target = (site.static ? owner : owner.prototype) as Record<string | symbol, Function>;
    return {
      name: `${owner.name}.${method}`,
      owner,
      method,
      target,
      arity: site.arity,
      handler: isHandler(target[site.key]!),
      sendsResponse: sendsResponse(site, owner),
      clock,
      random,
      events,
      sleeper,
      named: host.parts,
      warn: (message) => this.warn(message),
      log: (message) => this.log(message),
      onClose: (callback) => this.onClose.push(callback),
      optionsOf: (other, kind) => {
        const neighbour = siteOf(target[other]);
        return neighbour && policiesOf(neighbour, owner).get(kind);
      },
      resolve: (token) => host.resolve(token),
    };
  }
}

/** A logger that throws changes nothing. */
function quietly(log: () => unknown): void {
  try {
    log();
  } catch {
    // nobody is left who could be told
  }
}
