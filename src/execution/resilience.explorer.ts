import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import { Problems, show } from '../common/options-reader.js';
import { policies } from '../policies/canonical-order.js';
import { cacheInterceptorsOn, isCacheInterceptor, storeOnlyLive } from './cache-interceptors.js';
import { kindsOf } from './effective-options.js';
import { isHandler } from './handlers.js';
import type { Built } from './instances.js';
import type { ResilienceModuleOptions } from './module-options.js';
import { RUNTIME_REF, RuntimeRef, bindInstance, liveRuntimes } from './runtime-ref.js';
import { RUNTIME, type Runtime } from './runtime.js';
import { type Site, leftOutOf, misplacedOn, signalledOn, siteOf, sitesOf } from './site.js';
import { type Subject, methodSubject } from './subject.js';

/** Nest's `InstanceWrapper`, which its packages do not export. */
type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/**
 * Looks at all providers and controllers when the application starts: checks every decorated method, so that it
 * does not start with a wrong configuration, and binds the instances that Nest has not built itself.
 */
@Injectable()
export class ResilienceExplorer implements OnModuleInit, OnModuleDestroy {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(RUNTIME_REF) private readonly ref: RuntimeRef,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  onModuleInit(): void {
    const problems = new Problems();
    const owners = this.explore();
    const methods = [...owners].flatMap((owner) => sitesOf(owner).map((site) => ({ owner, site })));
    this.checkOnlyOne(problems);
    for (const owner of owners) reportMisplaced(owner, problems);
    const subjects = [
      ...methods.map(({ owner, site }) => methodSubject(site, owner)),
      ...this.runtime.subjects,
    ];
    this.runtime.instances.explore(() => this.built());
    checkOverrideTargets(this.runtime.options, subjects, problems);
    this.runtime.prepare(methods, problems);
    liveRuntimes.add(this.runtime);
    for (const owner of owners) this.tellLeftOut(owner);
    this.spareCaches(methods.map(({ site }) => site));
  }

  onModuleDestroy(): void {
    liveRuntimes.delete(this.runtime);
    this.runtime.close();
  }

  /** Nothing is silently unprotected. */
  private tellLeftOut(owner: Function): void {
    const methods = [...leftOutOf(owner)].map(String);
    if (methods.length === 0) return;
    this.runtime.log(
      `${owner.name}: the policies of the class do not cover ${methods.join(', ')}, not known to be asynchronous; make a method async, or decorate it, to have it covered`,
    );
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

  /** Providers, controllers, and the guards, interceptors, pipes and filters that they use. */
  private *allWrappers(): Iterable<InstanceWrapper> {
    yield* this.discovery.getProviders();
    yield* this.discovery.getControllers();
    for (const { injectables } of this.modules.values()) yield* injectables.values();
  }

  /** Has what stands on decorated handlers and stores answers store live ones only. */
  private spareCaches(sites: readonly Site[]): void {
    const caches = new Set(sites.flatMap(cacheInterceptorsOn));
    for (const cache of caches) if (typeof cache !== 'function') storeOnlyLive(cache);
    for (const { injectables } of this.modules.values()) {
      for (const wrapper of injectables.values()) {
        if (!caches.has(wrapper.metatype as Function)) continue;
        const instance = staticInstanceOf(wrapper);
        if (isCacheInterceptor(instance)) storeOnlyLive(instance);
      }
    }
  }

  /** The instances that Nest has built, or builds for each who asks. */
  private *built(): Iterable<Built> {
    for (const wrapper of this.allWrappers()) {
      const scope = scopeOf(wrapper);
      const instance = scope === undefined ? staticInstanceOf(wrapper) : undefined;
      const type: unknown = instance === undefined ? wrapper.metatype : instance.constructor;
      if (typeof type === 'function') yield { type, instance, scope };
    }
  }

  /** The classes of all that Nest has built or will build. */
  private explore(): Set<Function> {
    const owners = new Set<Function>();
    for (const wrapper of this.allWrappers()) {
      const instance = staticInstanceOf(wrapper);
      if (instance !== undefined) bindInstance(instance, this.ref);
      for (const owner of [instance?.constructor, wrapper.metatype]) {
        if (typeof owner === 'function' && owner !== Object) owners.add(owner);
      }
    }
    return owners;
  }
}

/** The one instance that all share; request-scoped and transient providers have none. */
function staticInstanceOf(wrapper: InstanceWrapper): object | undefined {
  if (!wrapper.isDependencyTreeStatic()) return undefined;
  const instance: unknown = wrapper.instance;
  return typeof instance === 'object' && instance !== null ? instance : undefined;
}

/** Why there may be several instances of one provider. */
function scopeOf(wrapper: InstanceWrapper): string | undefined {
  if (wrapper.isTransient) return 'transient';
  return wrapper.isDependencyTreeStatic() ? undefined : 'request-scoped';
}

/** Decorators that have no effect where they stand. */
function reportMisplaced(owner: Function, problems: Problems): void {
  for (const { key, label, problem } of misplacedOn(owner)) {
    problems.add(`${owner.name}.${String(key)} ${label}`, problem);
  }
  for (const key of signalledOn(owner)) {
    const method: unknown = (owner.prototype as Record<string | symbol, unknown>)[key];
    if (typeof method !== 'function' || siteOf(method) !== undefined || isHandler(method)) continue;
    problems.add(
      `${owner.name}.${String(key)} @Signal`,
      'gets no signal: the method has no policy; give it one, such as @Timeout()',
    );
  }
}

/** An override that meets nothing, or no policy of it, is misspelt. */
function checkOverrideTargets(
  options: ResilienceModuleOptions,
  subjects: readonly Subject[],
  problems: Problems,
): void {
  const { overrides } = options;
  const targets = new Map<string, Set<string>>();
  for (const pipeline of Object.keys(options.pipelines ?? {})) {
    targets.set(pipeline, new Set(kindsOf({ policies: new Map(), pipeline }, options)));
  }
  for (const subject of subjects) {
    const kinds = kindsOf(subject, options);
    for (const target of subject.targets) {
      targets.set(target, new Set([...(targets.get(target) ?? []), ...kinds]));
    }
  }
  for (const [target, override] of Object.entries(overrides ?? {})) {
    if (target === '*') continue;
    const kinds = targets.get(target);
    if (kinds === undefined) {
      problems.add(
        'ResilienceModule.forRoot()',
        `overrides has ${show(target)}, which is no decorated class or method, command or pipeline; there are ${['*', ...targets.keys()].join(', ')}`,
      );
      continue;
    }
    for (const kind of Object.keys(override ?? {})) {
      if (kinds.has(kind) || !policies.has(kind)) continue;
      problems.add(
        'ResilienceModule.forRoot()',
        `overrides['${target}'] has ${kind}, which ${target} has not; an override changes policies, it adds none`,
      );
    }
  }
}
