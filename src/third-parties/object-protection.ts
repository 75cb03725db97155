import type { Definitions } from '../commands/definitions.js';
import type { LazyPlan } from '../execution/lazy-plan.js';
import { isLifecycleHook } from '../execution/methods/never-covered.js';
import type { Runtime } from '../execution/runtime.js';
import { policies } from '../policies/canonical-order.js';
import type { Gives } from './asynchronous.js';
import type { MethodPolicies, ProtectOptions } from './options.js';
import { ALL_OTHERS, type Path, pathTo } from './paths.js';
import { type Members, type Replacement, protectedObject } from './protected-object.js';
import { ProtectedMethod } from './protected-method.js';

/** Members that every object has, and those that make it a promise: never covered by `'*'`. */
const NEVER = new Set<PropertyKey>([...Reflect.ownKeys(Object.prototype), 'then', 'toJSON']);

/** The policies of all objects that are protected under one name. */
export class ObjectProtection {
  private readonly plans = new Map<Path, LazyPlan>();
  private readonly proxies = new WeakMap<object, object>();
  private readonly ours = new WeakSet<object>();
  private readonly kinds = new Map<Path, Gives>();
  private readonly members: ReadonlySet<Path>;
  /** Whether Nest calls the lifecycle hooks of the original itself. */
  hidesHooks = false;
  /** How many objects have been protected. */
  count = 0;

  constructor(
    { methods = {}, members = [], [ALL_OTHERS]: others }: ProtectOptions<Record<string, unknown>>,
    private readonly runtime: Runtime,
    private readonly instances: Definitions,
    register: (path: Path, given: MethodPolicies) => LazyPlan,
  ) {
    this.members = new Set<Path>(members);
    for (const path of Reflect.ownKeys(methods)) {
      const given = (methods as Record<Path, MethodPolicies | undefined>)[path];
      if (given !== undefined) this.plans.set(path, register(path, given));
    }
    if (others !== undefined) this.plans.set(ALL_OTHERS, register(ALL_OTHERS, others));
  }

  /** The protected form of an object; an object that is protected already is returned itself. */
  of(original: object): { readonly proxy: object; readonly isNew: boolean } {
    const known = this.ours.has(original) ? original : this.proxies.get(original);
    if (known !== undefined) return { proxy: known, isNew: false };
    this.count += 1;
    if (this.count > 1) this.instances.add();
    return { proxy: this.proxyOf(original, ''), isNew: true };
  }

  /** Problems that arise because several objects have the name. */
  problemsOfSeveral(title: string): string[] {
    return [...this.plans.values()].flatMap((lazyPlan) => {
      if (!lazyPlan.planned) return [];
      return [...lazyPlan.plan.settings].flatMap(([kind, settings]) => {
        const problem = policies.get(kind)!.checkDefinedAgain?.(settings, this.instances.reason);
        return problem === undefined ? [] : `${title}: ${problem}`;
      });
    });
  }

  private proxyOf(original: object, path: Path): object {
    const known = this.proxies.get(original);
    if (known !== undefined) return known;
    const proxy = protectedObject(
      original,
      this.membersAt(path, (value) => this.shown(value)),
    );
    this.proxies.set(original, proxy);
    this.ours.add(proxy);
    return proxy;
  }

  private membersAt(parent: Path, proxyOf: (value: unknown) => unknown): Members {
    return {
      method: (key, method) => this.replacementOf(pathTo(parent, key), key, method, proxyOf),
      object: (key, value) => {
        const path = pathTo(parent, key);
        return this.leadsSomewhere(path) ? this.proxyOf(value, path) : undefined;
      },
      hides: (key) => this.hidesHooks && parent === '' && isLifecycleHook(key),
    };
  }

  private replacementOf(
    path: Path,
    key: PropertyKey,
    method: Function,
    proxyOf: (value: unknown) => unknown,
  ): Replacement | undefined {
    const own = path === ALL_OTHERS ? undefined : this.plans.get(path);
    const lazyPlan = own ?? (mayBeCovered(key) ? this.plans.get(ALL_OTHERS) : undefined);
    if (lazyPlan === undefined) return undefined;
    const { runtime } = this;
    const named = own !== undefined;
    const { kinds } = this;
    const known = { lazyPlan, runtime, named, path, kinds, proxyOf };
    const protectedMethod = new ProtectedMethod(method, known);
    return (self, args) => protectedMethod.call(self, args);
  }

  /** Whether a member that is an object contains a protected method. */
  private leadsSomewhere(path: Path): boolean {
    if (this.members.has(path)) return true;
    const prefix = `${String(path)}.`;
    const paths = [...this.plans.keys(), ...this.members];
    return paths.some((each) => typeof each === 'string' && each.startsWith(prefix));
  }

  private shown(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    return this.proxies.get(value) ?? value;
  }
}

function mayBeCovered(key: PropertyKey): boolean {
  if (NEVER.has(key) || isLifecycleHook(key)) return false;
  return typeof key !== 'symbol' || !isWellKnown(key);
}

function isWellKnown(key: symbol): boolean {
  return Object.getOwnPropertyNames(Symbol).some(
    (name) => (Symbol as unknown as Record<string, unknown>)[name] === key,
  );
}
