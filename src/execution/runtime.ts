import type { LoggerService } from '@nestjs/common';
import { brand } from '../common/brand.js';
import { type Clock, systemClock } from '../common/clock.js';
import { ResilienceConfigurationError } from '../common/errors.js';
import { Problems, show } from '../common/options-reader.js';
import type { PipelineDescription } from '../pipeline/description.js';
import { Sleeper } from '../pipeline/sleeper.js';
import { policies } from '../policies/canonical-order.js';
import type { PolicySite, ProtectedMethod } from '../policies/policy.js';
import type { PartStore } from '../registry/named-parts.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import { effectiveOptions, kindsOf } from './effective-options.js';
import { Enlisted } from './enlisted.js';
import { isAwaitedByNest } from './handlers.js';
import { InstanceRegister } from './instances.js';
import { type ResilienceModuleOptions, checkModuleOptions } from './module-options.js';
import {
  type Draft,
  type MethodPlan,
  type Plan,
  draftPlan,
  finishPlan,
  settlePolicy,
} from './plan.js';
import { CallPlans } from './call-plans.js';
import { callAsFallback } from './fallback-call.js';
import { type OwnedMethod, methodsOf } from './owned-method.js';
import { reportSynchronous } from './synchronous.js';
import { type Site, siteOf } from './site.js';
import { type SiteServices, SubjectSite } from './subject-site.js';
import { type Subject, methodSubject } from './subject.js';

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

type PlansOfOwner = Map<Site, MethodPlan>;

/** Of methods, by whether the policies of the class are left out, and by class. */
type Plans = ReadonlyMap<boolean, Map<Function, PlansOfOwner>>;

/** Runs what is protected in one application: makes a plan of each method, command and pipeline, and calls by it. */
export class Runtime {
  readonly clock: Clock;
  readonly events: ResilienceEvents;
  /** The instances that the application has built. */
  readonly instances = new InstanceRegister();
  private readonly random: () => number;
  private readonly sleeper: Sleeper;
  private readonly controllers = new Map<Function, unknown>();
  /** The plans of calls of decorated methods. */
  readonly calls = new CallPlans((method) => this.planOf(method));
  private readonly plans: Plans = new Map([
    [false, new Map()],
    [true, new Map()],
  ]);
  private readonly services: SiteServices;
  private readonly enlisted: Enlisted[] = [];
  private readonly postponed: string[] = [];
  private started = false;
  private closed = false;
  private readonly onClose: (() => void)[] = [];
  private readonly warned = new Set<string>();

  constructor(private readonly host: RuntimeHost) {
    this.clock = host.options.clock ?? systemClock;
    this.random = host.options.random ?? Math.random;
    this.events = host.events;
    this.sleeper = new Sleeper(this.clock);
    this.services = this.offer();
  }

  /**
   * Makes the plans of all these methods, and of what has been enlisted so far.
   *
   * @throws {ResilienceConfigurationError} with all problems of all of them, and those of the module's options
   */
  prepare(methods: Iterable<OwnedMethod>, problems = new Problems()): void {
    checkModuleOptions(this.host.options, problems);
    this.started = true;
    problems.all.push(...this.postponed);
    const finishers: (() => Plan)[] = [];
    const unused = new Set(Object.keys(this.host.options.pipelines ?? {}));
    for (const method of methods) {
      const subject = methodSubject(method);
      unused.delete(subject.pipeline ?? '');
      reportSynchronous(method, problems);
      const draft = this.draft(subject, problems);
      finishers.push(() => this.keep(method, finishPlan(draft)));
    }
    for (const each of this.enlisted) {
      unused.delete(each.subject.pipeline ?? '');
      if (each.planned) continue;
      const draft = this.draft(each.subject, problems);
      finishers.push(() => each.accept(finishPlan(draft)));
    }
    for (const pipeline of unused) this.check(pipeline, problems);
    if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
    for (const finish of finishers) {
      const { name, stages } = finish().description;
      this.host.logger?.debug?.(`${name}: ${[...stages, 'method'].join(' > ')}`);
    }
  }

  /** The plan of a method of a class, made now when it was not known at bootstrap (a class that is loaded lazily). */
  planFor(site: Site, owner: Function): MethodPlan {
    return this.planOf({ site, owner, ownOnly: false });
  }

  private planOf(method: OwnedMethod): MethodPlan {
    const known = this.plans.get(method.ownOnly)!.get(method.owner)?.get(method.site);
    if (known !== undefined) return known;
    const problems = new Problems();
    reportSynchronous(method, problems);
    return this.keep(method, this.make(methodSubject(method), problems));
  }

  /**
   * Makes known what is no method. Its plan is made with those of the methods; at once when these have been made.
   *
   * @throws {ResilienceConfigurationError} when it is made at once and not configured well
   */
  enlist(subject: Subject): Enlisted {
    const enlisted = new Enlisted(subject, (each) => this.make(each));
    if (this.started) void enlisted.plan;
    else this.enlisted.push(enlisted);
    return enlisted;
  }

  /** Has problems told when the application starts. @returns false when it has started */
  postpone(problems: readonly string[]): boolean {
    if (!this.started) this.postponed.push(...problems);
    return !this.started;
  }

  /** What has been enlisted before the application has started. */
  get subjects(): readonly Subject[] {
    return this.enlisted.map(({ subject }) => subject);
  }

  /** The only instance of a controller; `undefined` when each request has one of its own. */
  controllerOf(type: Function): unknown {
    if (!this.controllers.has(type)) this.controllers.set(type, this.host.resolve(type));
    return this.controllers.get(type);
  }

  get options(): ResilienceModuleOptions {
    return this.host.options;
  }

  /** @throws {Error} when the method is not decorated */
  describe(owner: Function, method: string): PipelineDescription {
    const found = methodsOf(owner).find(({ site }) => String(site.key) === method);
    if (found?.owner !== owner) throw new Error(`${owner.name}.${method} is not decorated`);
    return this.describePlan(this.planOf(found));
  }

  /** With the options of its named parts as they are now. */
  describePlan({ description, context }: Plan): PipelineDescription {
    const policies = description.policies.map(({ kind, options }) => {
      const shared = this.host.parts.optionsOf(
        kind,
        (options.name as string | undefined) ?? context.partNameOf(kind),
      );
      return { kind, options: { ...options, ...shared } };
    });
    return { ...description, policies };
  }

  /** A named part that a plan uses. */
  partOf<T extends object>(kind: string, { settings, context }: Plan): T | undefined {
    const own = settings.get(kind) as { readonly name?: string | undefined } | undefined;
    return own && this.host.parts.find<T>(kind, own.name ?? context.partNameOf(kind));
  }

  /** Tells operators, once a message. */
  warn(message: string): void {
    if (this.warned.has(message)) return;
    if (this.warned.size < 1_000) this.warned.add(message);
    quietly(() => this.host.logger?.warn(message) as unknown);
  }

  /** Tells operators of something that happened, each time. */
  log(message: string, level: 'log' | 'warn' = 'log'): void {
    quietly(() => this.host.logger?.[level](message) as unknown);
  }

  /** The application closes: nobody waits for another attempt any more, and no timer is left. */
  close(): void {
    this.closed = true;
    this.sleeper.close();
    for (const callback of this.onClose) callback();
  }

  private optionsOf(
    { owner, target }: ProtectedMethod,
    other: string,
    kind: string,
  ): object | undefined {
    const site = siteOf((target as Record<string, unknown>)[other]);
    if (site === undefined) return undefined;
    const subject = methodSubject({ site, owner, ownOnly: false });
    const { options } = this.host;
    if (!kindsOf(subject, options).includes(kind)) return undefined;
    return effectiveOptions(kind, subject, subject.title, options, new Problems())?.options;
  }

  private make(subject: Subject, problems = new Problems()): Plan {
    const draft = this.draft(subject, problems);
    if (problems.all.length === 0) return finishPlan(draft);
    this.host.parts.retract(draft.declarations);
    throw new ResilienceConfigurationError(problems.all);
  }

  /** A pipeline that nobody uses yet: as far as it can be checked without a method. */
  private check(pipeline: string, problems: Problems): void {
    const title = `pipeline ${show(pipeline)}`;
    const subject: Subject = {
      name: pipeline,
      title,
      owner: this,
      targets: [pipeline],
      policies: new Map(),
      pipeline,
      order: undefined,
      method: undefined,
      anyWork: true,
    };
    const { options } = this.host;
    for (const kind of kindsOf(subject, options)) {
      if (policies.get(kind)!.boundToSubject) continue;
      settlePolicy(kind, subject, this.policySite(subject), options, problems);
    }
  }

  private draft(subject: Subject, problems: Problems): Draft {
    const { options, parts } = this.host;
    return draftPlan(subject, this.policySite(subject), options, parts, problems);
  }

  private keep({ site, owner, ownOnly }: OwnedMethod, plan: Plan): MethodPlan {
    const { clock } = this;
    const { returns, signalIndex } = site;
    const mayResolveToStream = returns !== 'promise' || isAwaitedByNest(site.wrapper!);
    const kept: MethodPlan = { ...plan, site, clock, returns, signalIndex, mayResolveToStream };
    const byOwner = this.plans.get(ownOnly)!;
    const plans: PlansOfOwner = byOwner.get(owner) ?? new Map<Site, MethodPlan>();
    byOwner.set(owner, plans.set(site, kept));
    return kept;
  }

  private policySite(subject: Subject): PolicySite {
    return new SubjectSite(this.services, subject);
  }

  /** What the policies of all subjects get from here. */
  private offer(): SiteServices {
    const { clock, random, events, sleeper, host } = this;
    return {
      clock,
      random,
      events,
      sleeper,
      options: host.options,
      named: host.parts,
      warn: (message) => this.warn(message),
      log: (message, level) => this.log(message, level),
      onClose: (callback) => {
        if (this.closed) callback();
        else this.onClose.push(callback);
      },
      optionsOf: (method, other, kind) => this.optionsOf(method, other, kind),
      resolve: (token) => host.resolve(token),
      callAsFallback,
      instancesOf: (method) => this.instances.of(method),
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
