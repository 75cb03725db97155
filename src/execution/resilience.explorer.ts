import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { Problems, show } from '../common/options-reader.js';
import type { ResilienceModuleOptions } from './module-options.js';
import { RUNTIME_REF, RuntimeRef, bindInstance, liveRuntimes } from './runtime-ref.js';
import { RUNTIME, type Runtime } from './runtime.js';
import { type Site, leftOutOf, misplacedOn, sitesOf } from './site.js';

/** Nest's `InstanceWrapper`, which its packages do not export. */
type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

interface DecoratedMethod {
  readonly owner: Function;
  readonly site: Site;
}

/**
 * Looks at all providers and controllers when the application starts: checks every decorated method, so that it
 * does not start with a wrong configuration, and binds the instances that Nest has not built itself.
 */
@Injectable()
export class ResilienceExplorer implements OnModuleInit, OnModuleDestroy {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(RUNTIME_REF) private readonly ref: RuntimeRef,
    @Inject(RUNTIME) private readonly runtime: Runtime,
  ) {}

  onModuleInit(): void {
    const problems = new Problems();
    const owners = this.explore();
    const methods = [...owners].flatMap((owner) => sitesOf(owner).map((site) => ({ owner, site })));
    this.checkOnlyOne(problems);
    for (const owner of owners) reportMisplaced(owner, problems);
    checkOverrideTargets(this.runtime.options, methods, problems);
    this.runtime.prepare(methods, problems);
    liveRuntimes.add(this.runtime);
    for (const owner of owners) this.tellLeftOut(owner);
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

  /** The classes of all providers and controllers. */
  private explore(): Set<Function> {
    const owners = new Set<Function>();
    for (const wrapper of [...this.discovery.getProviders(), ...this.discovery.getControllers()]) {
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

/** Fields and accessors cannot be protected. */
function reportMisplaced(owner: Function, problems: Problems): void {
  for (const { key, label, what } of misplacedOn(owner)) {
    problems.add(
      `${owner.name}.${String(key)} ${label}`,
      `decorates ${what}; only methods can be protected`,
    );
  }
}

/** An override that meets no method is misspelt. */
function checkOverrideTargets(
  { overrides }: ResilienceModuleOptions,
  methods: readonly DecoratedMethod[],
  problems: Problems,
): void {
  const targets = new Set(['*']);
  for (const { owner, site } of methods) {
    targets.add(owner.name).add(`${owner.name}.${String(site.key)}`);
  }
  for (const target of Object.keys(overrides ?? {})) {
    if (targets.has(target)) continue;
    problems.add(
      'ResilienceModule.forRoot()',
      `overrides has ${show(target)}, which is no decorated class or method; there are ${[...targets].join(', ')}`,
    );
  }
}
