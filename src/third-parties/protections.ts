import { isDeepStrictEqual } from 'node:util';
import { comparable, normalized } from '../commands/given-policies.js';
import { Definitions } from '../commands/definitions.js';
import { legibleThroughout } from '../common/legible.js';
import { isPlainObject } from '../common/objects.js';
import { show } from '../common/printable.js';
import type { LazyPlan } from '../execution/lazy-plan.js';
import type { Runtime } from '../execution/runtime.js';
import { difference } from '../registry/named-parts.js';
import { ObjectProtection } from './object-protection.js';
import type { MethodPolicies, ProtectOptions } from './options.js';
import { ALL_OTHERS, type Path, isObject } from './paths.js';
import { problemsOfObject, problemsOfOptions } from './problems.js';

/** Subjects of this owner and of one name share their parts: those of objects that are protected under the same name. */
const OBJECTS = {};

/** Options of any type. */
export type GivenOptions = ProtectOptions<Record<string, unknown>>;

interface Known {
  /** The options that a second protection of the name has to repeat. */
  readonly options: object;
  readonly protection: ObjectProtection;
}

/** The protected objects of one application, by name. */
export class Protections {
  private readonly known = new Map<string, Known>();

  constructor(private readonly runtime: Runtime) {}

  /** The protected form of an object: always the same for an object and a name. */
  protect<T>(original: T, given: GivenOptions): T {
    const options = legibleThroughout(given);
    const title = titleOf(options);
    const protection = this.define(options);
    const wrong = isPlainObject(options) ? problemsOfObject(title, original, options) : [];
    this.report(wrong);
    if (protection === undefined || !isObject(original)) return original;
    const { isNew, proxy } = protection.of(original);
    if (isNew && protection.count > 1) this.report(protection.problemsOfSeveral(title));
    return proxy as T;
  }

  /**
   * The protected form of a provider's object. Nest calls the lifecycle hooks of the original itself.
   *
   * @param title for messages
   */
  provide(original: unknown, options: GivenOptions, title: string): unknown {
    if (!isObject(original)) {
      this.report([
        `${title}: the provider returned ${show(original)}; only objects can be protected`,
      ]);
      return original;
    }
    const protection = this.define(options);
    if (protection !== undefined) protection.hidesHooks = true;
    return this.protect(original, options);
  }

  /**
   * Registers the policies, so that they are checked when the application starts, whenever there will be an object.
   *
   * @returns `undefined` when the options are wrong (reported)
   */
  define(given: GivenOptions): ObjectProtection | undefined {
    const options = legibleThroughout(given);
    const title = titleOf(options);
    const problems = problemsOfOptions(title, options);
    this.report(problems);
    if (problems.length > 0) return undefined;
    const { name } = options;
    const known = this.known.get(name);
    const own = comparableOf(options);
    if (known !== undefined) {
      if (!isDeepStrictEqual(known.options, own)) {
        const what = difference(known.options, own);
        this.report([
          `${title}: is already protected with different options: ${what}; repeat them, or choose another name`,
        ]);
      }
      return known.protection;
    }
    const instances = new Definitions('several objects are protected under this name');
    const register = (path: Path, of: MethodPolicies): LazyPlan =>
      this.register(name, path, of, instances);
    const protection = new ObjectProtection(options, this.runtime, instances, register);
    this.known.set(name, { options: own, protection });
    return protection;
  }

  private register(
    name: string,
    path: Path,
    given: MethodPolicies,
    instances: Definitions,
  ): LazyPlan {
    const { pipeline, order, ...set } = typeof given === 'string' ? { pipeline: given } : given;
    const others = path === ALL_OTHERS;
    const own = others ? name : `${name}.${String(path)}`;
    return this.runtime.planner.register({
      name: own,
      title: `protect ${show(own)}`,
      owner: OBJECTS,
      overrideKeys: [...(pipeline === undefined ? [] : [pipeline]), ...new Set([name, own])],
      policies: new Map(Object.entries(normalized(set))),
      pipeline,
      order,
      method: undefined,
      anyWork: others,
      ...(others ? {} : { instances }),
    });
  }

  /** See {@link Planner.report}. */
  report(problems: readonly string[]): void {
    this.runtime.planner.report(problems);
  }
}

function titleOf(options: unknown): string {
  const name = isPlainObject(options) ? options.name : undefined;
  return `protect ${show(name)}`;
}

function comparableOf({ methods = {}, members = [], [ALL_OTHERS]: others }: GivenOptions): object {
  const all: Record<Path, unknown> = { members: [...members] };
  for (const path of Reflect.ownKeys(methods)) {
    all[path] = comparablePolicies((methods as Record<Path, MethodPolicies>)[path]);
  }
  return { ...all, [ALL_OTHERS]: comparablePolicies(others) };
}

function comparablePolicies(given: MethodPolicies | undefined): unknown {
  if (given === undefined) return undefined;
  const { pipeline, ...own } = typeof given === 'string' ? { pipeline: given } : given;
  return { ...comparable(own), pipeline };
}
