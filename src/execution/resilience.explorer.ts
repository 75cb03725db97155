import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import { Problems } from '../common/options-reader.js';
import { look } from '../common/outcomes/look.js';
import {
  cacheInterceptorsOn,
  isCacheInterceptor,
  storeOnlyLive,
} from './handlers/cache-interceptors.js';
import { SLOT } from './binding.js';
import { attachFilter } from './handlers/handler-filters.js';
import { offerInterceptor } from './handlers/handler-interceptors.js';
import { fillsOneParameterAlone, isHandler } from './handlers/handler-kinds.js';
import type { Built } from './instances.js';
import { OverrideTargets } from './configuration/override-targets.js';
import { lineOf } from './methods/class-line.js';
import { tellEarlyStaticCalls } from './call-plans.js';
import { coverLine } from './coverage.js';
import { liveRuntimes } from './live-runtimes.js';
import { type OwnedMethod, isSpy, methodsOf } from './methods/owned-method.js';
import { misplacedOn, signalledOn } from './methods/records.js';
import { RUNTIME_REF, RuntimeRef } from './runtime-ref.js';
import { RUNTIME, type Runtime } from './runtime.js';
import { type DecoratedMethod, decoratedMethodOf } from './methods/decorated-method.js';
import { bindInstance } from './slot.js';
import { uncoveredMembers } from './uncovered.js';
import { methodSubject } from './subject.js';
import { mistakenTimeoutsOn } from './handlers/schedule-timeouts.js';

/** Nest's `InstanceWrapper`, which its packages do not export. */
type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** Nest's `Module`, likewise. */
type Loaded =
  ReturnType<ModulesContainer['values']> extends Iterable<infer Module> ? Module : never;

/**
 * Examines all providers and controllers when the application starts: checks every decorated method, so that the
 * application does not start with a wrong configuration, and binds the instances that Nest has not built itself.
 */
@Injectable()
export class ResilienceExplorer implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy {
  /** The modules whose classes are all known. */
  private readonly explored = new WeakSet<Loaded>();

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(RUNTIME_REF) private readonly ref: RuntimeRef,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {
    this.offerInterceptors();
  }

  onModuleInit(): void {
    const problems = new Problems();
    const owners = this.explore();
    const methods = distinct([...owners.keys()].flatMap(methodsOf));
    this.checkOnlyOne(problems);
    for (const owner of owners.keys()) reportMisplaced(owner, problems);
    const subjects = [...methods.map(methodSubject), ...this.runtime.planner.subjects];
    this.runtime.instances.explore(() => this.built());
    const { layers } = this.runtime;
    const targets = new OverrideTargets(subjects, layers);
    for (const [target, override] of Object.entries(layers.overrides)) {
      targets.check('ResilienceModule.forRoot()', 'overrides', target, override, problems);
    }
    layers.variables.checkTargets(targets.ofSubjects, problems);
    this.runtime.planner.prepare(methods, problems);
    for (const module of this.modules.values()) this.explored.add(module);
    this.runtime.planner.loaded = () => this.loaded();
    liveRuntimes.add(this.runtime);
    tellEarlyStaticCalls();
    for (const [owner, instance] of owners) {
      const told = uncoveredMembers(owner, instance);
      if (told !== undefined) this.runtime.warn(told);
      for (const name of signalledAloneOn(owner)) {
        this.runtime.warn(
          `${name}: its other parameters stay undefined beside @Signal(), because Nest fills in only parameters with decorators; add @Payload(), @MessageBody() or @ConnectedSocket()`,
        );
      }
    }
    this.spareCaches(methods.map(({ decorated }) => decorated));
  }

  onApplicationBootstrap(): void {
    this.ref.live = true;
    liveRuntimes.started(this.runtime);
    this.runtime.start();
  }

  onModuleDestroy(): void {
    this.ref.live = false;
    liveRuntimes.delete(this.runtime);
    this.runtime.close();
  }

  private checkOnlyOne(problems: Problems): void {
    const count = this.discovery.getProviders().filter(({ token }) => token === RUNTIME_REF).length;
    if (count > 1) {
      problems.add(
        'ResilienceModule.forRoot()',
        `${count} of them in one application, so policies would apply twice; import it once, in the root module`,
      );
    }
  }

  /** Must run before Nest makes routes, which it does before it initialises modules. */
  private offerInterceptors(): void {
    for (const module of this.modules.values()) {
      for (const { metatype } of [...module.controllers.values(), ...module.providers.values()]) {
        const prototype: unknown = metatype?.prototype;
        if (typeof prototype !== 'object' || prototype === null || !(SLOT in prototype)) continue;
        coverLine(prototype);
        offerInterceptor(module, this.ref);
        for (const method of functionsOf(prototype)) attachFilter(method);
      }
    }
  }

  /** Providers, controllers, and the guards, interceptors, pipes and filters that they use. */
  private *allWrappers(): Iterable<InstanceWrapper> {
    yield* this.discovery.getProviders();
    yield* this.discovery.getControllers();
    for (const { injectables } of this.modules.values()) yield* injectables.values();
  }

  /** The same of one module. */
  private *wrappersOf({ providers, controllers, injectables }: Loaded): Iterable<InstanceWrapper> {
    for (const wrappers of [providers, controllers, injectables]) yield* wrappers.values();
  }

  /** Makes the `CacheInterceptor`s on decorated handlers store live answers only. */
  private spareCaches(sites: readonly DecoratedMethod[]): void {
    const caches = new Set(sites.flatMap(cacheInterceptorsOn));
    for (const cache of caches) if (typeof cache !== 'function') storeOnlyLive(cache);
    for (const { injectables } of this.modules.values()) {
      for (const wrapper of injectables.values()) {
        if (!caches.has(wrapper.metatype as Function)) continue;
        const shared = scopeOf(wrapper) === undefined ? staticInstanceOf(wrapper) : undefined;
        const cache: unknown = shared ?? (wrapper.metatype as Function).prototype;
        if (isCacheInterceptor(cache)) storeOnlyLive(cache);
      }
    }
  }

  /** The classes that Nest has built or will build, with the shared instance if there is one. */
  private *built(wrappers = this.allWrappers()): Iterable<Built> {
    for (const wrapper of wrappers) {
      const scope = scopeOf(wrapper);
      const instance = scope === undefined ? staticInstanceOf(wrapper) : undefined;
      const type: unknown =
        instance === undefined ? wrapper.metatype : look(instance, 'constructor');
      if (typeof type === 'function') yield { type, instance, scope };
    }
  }

  /** The methods of the classes of modules that have been loaded since the last listing. */
  private *loaded(): Iterable<OwnedMethod> {
    for (const module of this.modules.values()) {
      if (this.explored.has(module)) continue;
      const wrappers = Array.from(this.wrappersOf(module));
      if (!wrappers.some(isPending)) this.explored.add(module);
      const owners = new Set(Array.from(this.built(wrappers), ({ type }) => type));
      for (const owner of owners) coverClass(owner);
      yield* distinct([...owners].flatMap(methodsOf).filter(({ ownOnly }) => !ownOnly));
    }
  }

  /** Binds all shared instances. @returns the classes of all providers, with the shared instance if there is one */
  private explore(): Map<Function, object | undefined> {
    const owners = new Map<Function, object | undefined>();
    for (const wrapper of this.allWrappers()) {
      const instance = staticInstanceOf(wrapper);
      if (instance !== undefined) bindInstance(instance, this.ref, wrapper.metatype === null);
      for (const owner of [look(instance, 'constructor'), wrapper.metatype]) {
        if (typeof owner !== 'function') continue;
        coverClass(owner);
        owners.set(owner, owners.get(owner) ?? instance);
      }
    }
    return owners;
  }
}

/** The message handlers of a class to which Nest passes only the signal. */
function signalledAloneOn(owner: Function): string[] {
  return [...signalledOn(owner)]
    .filter((key) => {
      const method: unknown = (owner.prototype as Record<string | symbol, unknown>)[key];
      return typeof method === 'function' && fillsOneParameterAlone(method, owner, key);
    })
    .map((key) => `${owner.name}.${String(key)}`);
}

function coverClass({ prototype }: Function): void {
  const line: unknown = prototype;
  if (typeof line === 'object' && line !== null) coverLine(line);
}

/** Each method once: a parent's method is found through each of its subclasses. */
function distinct(methods: readonly OwnedMethod[]): OwnedMethod[] {
  const known: OwnedMethod[] = [];
  const keys = new Map<Function, Map<unknown, Set<boolean>>>();
  for (const method of methods) {
    const { owner, decorated, ownOnly } = method;
    const sites = keys.get(owner) ?? new Map<unknown, Set<boolean>>();
    const modes = sites.get(decorated) ?? new Set<boolean>();
    keys.set(owner, sites.set(decorated, modes));
    if (modes.has(ownOnly)) continue;
    modes.add(ownOnly);
    known.push(method);
  }
  return known;
}

/** The methods of a prototype, inherited ones included, as Nest will find them. */
function functionsOf(prototype: object): Function[] {
  return lineOf(prototype, Object.prototype)
    .flatMap((holder) => Object.values(Object.getOwnPropertyDescriptors(holder)))
    .map(({ value }) => value as unknown)
    .filter((value) => typeof value === 'function');
}

/** The one instance that all share; request-scoped and transient providers have none. */
function staticInstanceOf(wrapper: InstanceWrapper): object | undefined {
  if (!wrapper.isDependencyTreeStatic()) return undefined;
  const instance: unknown = wrapper.instance;
  return typeof instance === 'object' && instance !== null ? instance : undefined;
}

/** Whether it is a factory without a result yet, or with an empty one: its class is not known. */
function isPending(wrapper: InstanceWrapper): boolean {
  if (wrapper.inject === undefined || wrapper.inject === null) return false;
  const instance: unknown = wrapper.instance;
  return wrapper.isDependencyTreeStatic() && (instance === undefined || instance === null);
}

/** The reason why a provider may have several instances; `undefined` if there is only one. */
function scopeOf(wrapper: InstanceWrapper): string | undefined {
  if (wrapper.isTransient) return 'transient';
  return wrapper.isDependencyTreeStatic() ? undefined : 'request-scoped';
}

/** Reports decorators in places where they are not allowed. */
function reportMisplaced(owner: Function, problems: Problems): void {
  for (const { key, label, problem } of misplacedOn(owner)) {
    const member = key === undefined ? '' : `.${String(key)}`;
    problems.add(`${owner.name}${member} ${label}`, problem);
  }
  for (const name of mistakenTimeoutsOn(owner)) {
    problems.add(
      `${owner.name}.${name} @Timeout`,
      'is that of @nestjs/schedule and has no number of milliseconds; import Timeout from nest-resilience, or give a number',
    );
  }
  for (const key of signalledOn(owner)) {
    const method: unknown = (owner.prototype as Record<string | symbol, unknown>)[key];
    if (
      typeof method !== 'function' ||
      isSpy(method) ||
      decoratedMethodOf(method) !== undefined ||
      isHandler(method)
    )
      continue;
    problems.add(
      `${owner.name}.${String(key)} @Signal`,
      'gets no signal: the method has no policy; decorate it with one, or leave out @Signal()',
    );
  }
}
