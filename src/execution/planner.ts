import { ResilienceConfigurationError } from '../common/errors.js';
import { Problems } from '../common/options-reader.js';
import { show } from '../common/printable.js';
import { WeakList } from '../common/weak-list.js';
import { policies } from '../policies/canonical-order.js';
import type { PartStore } from '../registry/named-parts.js';
import { kindsOf } from './effective-options.js';
import { LazyPlan } from './lazy-plan.js';
import { LiveChanges } from './changes/live-changes.js';
import { isAwaitedByNest } from './handlers/handler-kinds.js';
import { nestCallerOf } from './handlers/nest-caller.js';
import type { Patch, PatchNote } from './module-options.js';
import type { Configuration } from './configuration/configuration.js';
import { UnusedOptions } from './configuration/unused.js';
import type { OwnedMethod } from './methods/owned-method.js';
import {
  type Draft,
  MethodPlan,
  type Plan,
  checkParts,
  draftPlan,
  reportLeftOut,
  finishPlan,
  configurePolicy,
} from './plan.js';
import type { DecoratedMethod } from './methods/decorated-method.js';
import { type SiteServices, SubjectSite } from './subject-site.js';
import { type Subject, methodSubject, withNames } from './subject.js';
import { reportSynchronous } from './synchronous.js';

type PlansOfOwner = Map<DecoratedMethod, MethodPlan>;

/** Plans of methods, by `ownOnly` and by class. */
type Plans = ReadonlyMap<boolean, Map<Function, PlansOfOwner>>;

const NOT_STARTED =
  'configure(): the application has not started, so there is nothing to change; use forRoot({ overrides })';

/** Makes the plans of all subjects of one application: methods, commands and pipelines. */
export class Planner {
  private readonly plans: Plans = new Map([
    [false, new Map()],
    [true, new Map()],
  ]);
  private readonly lazyPlans: LazyPlan[] = [];
  readonly changes: LiveChanges;
  /** Called before plans are listed: gives the methods of classes that were loaded since. */
  loaded: () => Iterable<OwnedMethod> = () => [];
  /** Plans made after the start: they may be made again and again, so only their users keep them. */
  private readonly latePlans = new WeakList<LazyPlan>();
  private readonly startupProblems: string[] = [];
  private readonly configuration: Configuration;
  private started = false;
  /** Only grows. */
  private plansMade = 0;

  /** @param tell receives a line for the log about each plan that is made at bootstrap */
  constructor(
    private readonly services: SiteServices,
    private readonly parts: PartStore,
    private readonly tell: (line: string) => void,
  ) {
    this.configuration = services.configuration;
    this.changes = new LiveChanges(
      services,
      parts,
      () => this.held(),
      () => this.plansMade,
      (pipeline, options, problems) => this.check(pipeline, options, problems),
    );
  }

  /**
   * Makes the plans of these methods, and of the commands and pipelines registered so far.
   *
   * @throws {ResilienceConfigurationError} with the problems of all of them and of the module's options
   */
  prepare(methods: Iterable<OwnedMethod>, problems = new Problems()): void {
    this.configuration.check(problems);
    this.started = true;
    problems.all.push(...new Set(this.startupProblems));
    const finishers: (() => Plan)[] = [];
    const drafts: Draft[] = [];
    const users: Subject[] = [];
    for (const method of methods) {
      const subject = methodSubject(method);
      users.push(subject);
      reportSynchronous(method, problems);
      const draft = this.draft(subject, problems);
      drafts.push(draft);
      finishers.push(() => this.keep(method, finishPlan(draft)));
    }
    for (const each of this.lazyPlans) {
      users.push(each.subject);
      if (each.planned) continue;
      const draft = this.draft(each.subject, problems);
      drafts.push(draft);
      finishers.push(() => each.accept(finishPlan(draft)));
    }
    for (const draft of drafts) checkParts(draft, this.parts, problems);
    this.checkUnused(users, problems);
    this.configuration.checkUnused = (found) => this.checkUnused(this.users(), found);
    if (problems.all.length > 0) throw new ResilienceConfigurationError(problems.all);
    for (const finish of finishers) {
      const { name, stages } = finish().description;
      this.tell(`${name}: ${[...stages, 'method'].join(' > ')}`);
    }
  }

  /** The plan of a method of a class, made now if the class was unknown at bootstrap, because it is loaded lazily. */
  planFor(decorated: DecoratedMethod, owner: Function): MethodPlan {
    return this.planOf({ decorated, owner, ownOnly: false });
  }

  planOf(method: OwnedMethod): MethodPlan {
    const known = this.plans.get(method.ownOnly)!.get(method.owner)?.get(method.decorated);
    if (known !== undefined) return known;
    const problems = new Problems();
    reportSynchronous(method, problems);
    return this.keep(method, this.make(methodSubject(method), problems));
  }

  /**
   * Registers a command or a pipeline. Its plan is made with those of the methods, or at once if these have been made.
   *
   * @param found problems with its options, reported with those of its plan
   * @throws {ResilienceConfigurationError} when the plan is made at once and the configuration is wrong
   */
  register(subject: Subject, found: readonly string[] = []): LazyPlan {
    const lazyPlan = new LazyPlan(withNames(subject), (each) => this.make(each));
    if (!this.started) {
      this.report(found);
      this.lazyPlans.push(lazyPlan);
    } else {
      const problems = new Problems();
      problems.all.push(...found);
      lazyPlan.accept(this.make(lazyPlan.subject, problems));
      this.latePlans.add(lazyPlan);
      this.plansMade += 1;
    }
    return lazyPlan;
  }

  /**
   * Changes options while the application runs.
   *
   * @throws {ResilienceConfigurationError} when the change is wrong; then nothing has changed
   */
  configure(
    target: string,
    patch: Patch | null,
    note: PatchNote,
    where: string,
    problems = new Problems(),
  ): void {
    this.requireStarted();
    this.changes.make(target, patch, note, where, problems);
  }

  /** @throws {ResilienceConfigurationError} when there is nothing to change yet */
  requireStarted(): void {
    if (!this.started) throw new ResilienceConfigurationError([NOT_STARTED]);
  }

  /**
   * Reports problems together with all others when the application starts.
   *
   * @throws {ResilienceConfigurationError} at once when it has started
   */
  report(problems: readonly string[]): void {
    if (!this.started) this.startupProblems.push(...problems);
    else if (problems.length > 0) throw new ResilienceConfigurationError(problems);
  }

  /** The commands and pipelines. */
  get subjects(): readonly Subject[] {
    return this.lazyPlans.map(({ subject }) => subject);
  }

  /** All plans: of decorated methods, and of commands, pipelines and clients, one for each title. */
  *all(): IterableIterator<Plan> {
    for (const method of this.loaded()) this.planAhead(method);
    for (const plans of this.plans.get(false)!.values()) yield* plans.values();
    const titles = new Set<string>();
    for (const each of [...this.lazyPlans, ...this.latePlans]) {
      const { title } = each.subject;
      if (!each.planned || titles.has(title)) continue;
      titles.add(title);
      yield each.plan;
    }
  }

  /** All plans that have been made, those of methods as part of another call included. */
  private *held(): IterableIterator<MethodPlan | LazyPlan> {
    for (const byOwner of this.plans.values()) {
      for (const plans of byOwner.values()) yield* plans.values();
    }
    for (const each of [...this.lazyPlans, ...this.latePlans]) if (each.planned) yield each;
  }

  /** Plans a method before its first call, which throws if its configuration is wrong. */
  private planAhead(method: OwnedMethod): void {
    try {
      this.planOf(method);
    } catch (error) {
      if (!(error instanceof ResilienceConfigurationError)) throw error;
    }
  }

  private make(subject: Subject, problems = new Problems()): Plan {
    const draft = this.draft(subject, problems);
    checkParts(draft, this.parts, problems);
    if (problems.all.length === 0) return finishPlan(draft);
    this.parts.retract(draft.declarations);
    throw new ResilienceConfigurationError(problems.all);
  }

  private *users(): IterableIterator<Subject> {
    for (const holder of this.held()) yield subjectOf(holder);
  }

  /** Checks options and pipelines that nobody uses yet, as far as possible. */
  private checkUnused(users: Iterable<Subject>, problems: Problems): void {
    const { layers } = this.configuration;
    const options = new UnusedOptions(this.services);
    const unused = new Set(Object.keys(layers.pipelines));
    for (const user of users) {
      options.uses(user, layers);
      unused.delete(user.pipeline ?? '');
    }
    for (const pipeline of unused) this.check(pipeline, options, problems);
    options.check(layers, problems);
  }

  /** Checks a pipeline that is not in use yet, as far as possible without a subject. */
  private check(pipeline: string, options: UnusedOptions, problems: Problems): void {
    const title = `pipeline ${show(pipeline)}`;
    const subject: Subject = {
      name: pipeline,
      title,
      owner: this,
      overrideKeys: [pipeline],
      policies: new Map(),
      pipeline,
      order: undefined,
      method: undefined,
      anyWork: true,
    };
    const { layers } = this.configuration;
    const order: unknown = layers.pipelines[pipeline]?.order;
    options.uses(subject, layers, ({ boundToSubject = false }) => !boundToSubject);
    for (const kind of kindsOf(subject, layers)) {
      const policy = policies.get(kind)!;
      if (policy.boundToSubject) continue;
      const one = configurePolicy(kind, subject, this.policySite(subject), layers, problems);
      if (one === undefined || !one.effective.enabled) continue;
      const { settings, where } = one;
      reportLeftOut(
        title,
        Object.keys(policy.stages(settings, this.policySite(subject))),
        order,
        problems,
      );
      policy.checkPart?.(settings, settings, (problem) => problems.add(where, problem));
    }
  }

  private draft(subject: Subject, problems: Problems): Draft {
    const { configuration, parts } = this;
    return draftPlan(subject, this.policySite(subject), configuration.layers, parts, problems);
  }

  private keep({ decorated, owner, ownOnly }: OwnedMethod, plan: Plan): MethodPlan {
    const { services } = this;
    const wrapper = decorated.wrapper!;
    const mayResolveToStream = decorated.returns !== 'promise' || isAwaitedByNest(wrapper);
    const warn = (message: string): void => services.log(message, 'warn');
    const nestCaller = ownOnly ? undefined : nestCallerOf(wrapper, owner, plan.pipeline.name, warn);
    const kept = new MethodPlan(plan, decorated, services.clock, mayResolveToStream, nestCaller);
    const byOwner = this.plans.get(ownOnly)!;
    const plans: PlansOfOwner = byOwner.get(owner) ?? new Map<DecoratedMethod, MethodPlan>();
    byOwner.set(owner, plans.set(decorated, kept));
    this.plansMade += 1;
    return kept;
  }

  private policySite(subject: Subject): SubjectSite {
    return new SubjectSite(this.services, subject);
  }
}

function subjectOf(holder: MethodPlan | LazyPlan): Subject {
  return holder instanceof LazyPlan ? holder.subject : holder.context.subject;
}
