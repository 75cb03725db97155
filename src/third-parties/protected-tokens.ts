import type { InjectionToken, Provider } from '@nestjs/common';
import { LazyModuleLoader, ModulesContainer } from '@nestjs/core';
import { brand, shared } from '../common/brand.js';
import { look } from '../common/outcomes/look.js';

/** Nest's `Module` and `InstanceWrapper`, which its packages do not export. */
type Module = ModulesContainer extends Map<string, infer M> ? M : never;
type Wrapper = Module['providers'] extends Map<unknown, infer W> ? W : never;

/** The treatment of a token. */
export interface Protection {
  readonly token: InjectionToken;
  /** Makes the provider that takes the token's place. @param original the new token of the original */
  replace(original: symbol): Provider;
}

/** The provider that has taken a token's place. */
interface Replaced {
  readonly wrapper: Wrapper;
  readonly metatype: unknown;
  readonly by: Set<Protection>;
  /** The tokens of the originals, outermost last. */
  readonly hidden: symbol[];
}

/** Shared by all copies of the package; only the first one watches the containers. */
const protections = shared('token-protections', () => new WeakMap<Function, Protection>());
const replacedIn = shared(
  'replaced-tokens',
  () => new WeakMap<Module, Map<InjectionToken, Replaced>>(),
);

/** Registers the factory of a provider that represents a protection in the module that lists it. */
export function announce(factory: Function, protection: Protection): void {
  protections.set(factory, protection);
  watchContainers();
}

/** Whether the token of a protection has been found. */
export function isReplaced(modules: ModulesContainer, protection: Protection): boolean {
  return [...modules.values()].some((module) =>
    replacedIn.get(module)?.get(protection.token)?.by.has(protection),
  );
}

const WATCHED = brand('watched-container');

/**
 * Nest has no moment between knowing all providers and making the first instance at which other code runs. It visits all modules by
 * `forEach()` then, so that is where providers are replaced. Done for applications that use `protectProvider()` only.
 */
function watchContainers(): void {
  const prototype = ModulesContainer.prototype as ModulesContainer & { [WATCHED]?: true };
  if (Object.hasOwn(prototype, WATCHED)) return;
  const { forEach } = prototype as { forEach: (this: ModulesContainer, ...args: never) => void };
  Object.defineProperty(prototype, WATCHED, { value: true });
  Object.defineProperty(prototype, 'forEach', {
    configurable: true,
    writable: true,
    value: function (this: ModulesContainer, ...args: never): void {
      replaceAll(this);
      Reflect.apply(forEach, this, args);
    },
  });
  watchLazyModules();
}

/** The part of Nest's `LazyModuleLoader` that is used here. */
interface Loader {
  readonly modulesContainer: ModulesContainer;
  /** The modules that are being loaded, which Nest visits by `forEach()` before it makes their instances. */
  createLazyModulesContainer?(...args: never): Map<string, Module>;
}

function watchLazyModules(): void {
  const prototype = LazyModuleLoader.prototype as unknown as Loader;
  const create = look(prototype, 'createLazyModulesContainer') as Function | undefined;
  if (create === undefined) return;
  prototype.createLazyModulesContainer = function (this: Loader, ...args: never) {
    const loading = Reflect.apply(create, this, args) as Map<string, Module>;
    const replaceThenVisit: typeof loading.forEach = (visit) => {
      replaceAll(this.modulesContainer);
      Map.prototype.forEach.call(loading, visit as never);
    };
    return Object.defineProperty(loading, 'forEach', { value: replaceThenVisit });
  };
}

function replaceAll(modules: ModulesContainer): void {
  for (const module of modules.values()) {
    for (const { metatype } of [...module.providers.values()]) {
      const protection = typeof metatype === 'function' ? protections.get(metatype) : undefined;
      if (protection === undefined) continue;
      for (const host of hostsOf(protection.token, module, modules)) replace(host, protection);
    }
  }
}

/**
 * Done once, and again if the provider has been overridden meanwhile, as in a test; the old one is then never
 * instantiated.
 */
function replace(host: Module, protection: Protection): void {
  const { token } = protection;
  const original = host.providers.get(token)!;
  const byToken = replacedIn.get(host) ?? new Map<InjectionToken, Replaced>();
  replacedIn.set(host, byToken);
  const known = byToken.get(token);
  const ours = known?.wrapper === original && known.metatype === original.metatype;
  if (known !== undefined && !ours) for (const each of known.hidden) host.providers.delete(each);
  const by = ours ? known.by : new Set<Protection>();
  if (by.has(protection)) return;
  const hidden = Symbol(`unprotected ${String(original.name)}`);
  Object.assign(original, { token: hidden }); // Nest finds a provider of its module by this
  host.providers.set(hidden, original);
  const { scope, durable } = original;
  host.addProvider({
    ...(protection.replace(hidden) as object),
    ...(scope !== undefined && { scope }),
    ...(durable !== undefined && { durable }),
  } as Provider);
  const wrapper = host.providers.get(token)!;
  byToken.set(token, {
    wrapper,
    metatype: wrapper.metatype,
    by: by.add(protection),
    hidden: ours ? [...known.hidden, hidden] : [hidden],
  });
}

/**
 * The modules whose provider a token refers to: for the module that lists the protection, or for those that import it.
 */
function hostsOf(token: InjectionToken, lister: Module, modules: ModulesContainer): Set<Module> {
  const own = hostOf(token, lister);
  if (own !== undefined) return new Set([own]);
  const importers = [...modules.values()].filter(({ imports }) => imports.has(lister));
  return new Set(importers.flatMap((importer) => hostOf(token, importer) ?? []));
}

/** The module whose provider Nest injects for a token in `module`. */
function hostOf(token: InjectionToken, module: Module): Module | undefined {
  if (module.providers.has(token)) return module;
  return exporterOf(token, module.imports, new Set([module]));
}

function exporterOf(
  token: InjectionToken,
  imports: Iterable<Module>,
  seen: Set<Module>,
): Module | undefined {
  for (const module of imports) {
    if (seen.has(module)) continue;
    seen.add(module);
    if (module.providers.has(token) && module.exports.has(token)) return module;
    const exported = [...module.imports].filter(({ metatype }) => module.exports.has(metatype));
    const found = exporterOf(token, exported, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}
