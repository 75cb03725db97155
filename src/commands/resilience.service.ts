import { brand } from '../common/brand.js';
import { isPlainObject } from '../common/objects.js';
import { legibleThroughout } from '../common/legible.js';
import { ownValue as ownOf } from '../common/own.js';
import { show } from '../common/printable.js';
import type { Layers } from '../execution/configuration/layers.js';
import type { PipelineExplanation } from '../execution/explanation.js';
import {
  type PipelineOptions,
  type Patch,
  type PatchNote,
  checkPipeline,
} from '../execution/module-options.js';
import type { Runtime } from '../execution/runtime.js';
import type { PipelineDescription } from '../pipeline/description.js';
import type { CommandFunctions } from './command-call.js';
import { Definitions } from './definitions.js';
import { Command, type CommandDefinition, CommandState, type CommandView } from './command.js';
import {
  comparable,
  differences,
  normalized,
  problemsOf,
  problemsOfCommand,
} from './given-policies.js';
import { NamedPipeline } from './named-pipeline.js';
import { type FetchOptions, createFetch } from '../http/fetch.js';
import { HttpClient, type HttpPolicies } from '../http/http-client.js';
import type { Spareable } from '../policies/command-policies.js';
import type { ProtectOptions } from '../third-parties/options.js';
import type { Protections } from '../third-parties/protections.js';

/** Injection token of the {@link ResilienceService}; for its purpose see `CIRCUIT_BREAKER_REGISTRY`. */
export const RESILIENCE_SERVICE = brand('ResilienceService');

/** Owners of subjects: within one of them, equal names mean the same parts. */
const COMMANDS = {};
const PIPELINES = {};

interface Known<T> {
  /** The options that a second definition has to repeat. */
  readonly options: object;
  readonly made: T;
}

/**
 * Policies for code that is not a decorated method: commands, and pipelines for any function. Injectable.
 *
 * Commands and pipelines made in the constructors of providers are checked when the application starts, together with
 * all decorated methods; later ones are checked at once.
 */
export class ResilienceService {
  private readonly known = new Map<string, Known<CommandState>>();
  private readonly pipelines = new Map<string, Known<NamedPipeline>>();
  private ownFetch: typeof globalThis.fetch | undefined = undefined;

  /** @internal */
  constructor(
    private readonly runtime: Runtime,
    private readonly protections: Protections,
  ) {
    // Made when it is needed, or when an override refers to it.
    const { overrides, variables } = runtime.layers;
    if (ownOf(overrides, 'fetch') !== undefined || variables.has('fetch')) {
      this.ownFetch = this.createFetch();
    }
  }

  /**
   * Defines a command: the work, its fallback, and the policies around both. Commands of the same name share their
   * state.
   *
   * @throws {ResilienceConfigurationError} once the application has started: when the options are wrong, or when there is
   * a command of that name with other options. Earlier, the start of the application reports these problems
   *
   * @example
   * this.getBook = resilience.command('book', {
   *   run: ({ signal }, id: number) => this.storage.book(id, signal),
   *   fallback: () => undefined,
   *   timeout: '1s',
   *   circuitBreaker: { failureRate: 0.5 },
   *   bulkhead: 10,
   * });
   */
  command<Args extends readonly unknown[], Result, Spare extends Spareable<Result> = Result>(
    name: string,
    definition: CommandDefinition<Args, Result, Spare>,
  ): Command<Args, Result | Spare> {
    const title = `command ${show(name)}`;
    const read = legibleThroughout(definition);
    const problems = problemsOfCommand(title, name, read).all;
    const { planner } = this.runtime;
    const functions = { ...(read as object) } as CommandFunctions; // later changes of the user's object have no effect
    const { run: _run, pipeline: used, ...given } = (read ?? {}) as Partial<typeof definition>;
    const pipeline = typeof used === 'string' ? used : undefined; // else reported
    const own = normalized(given, true);
    const options = pipeline === undefined ? own : { ...own, pipeline };
    const known = this.known.get(name);
    if (known !== undefined) {
      planner.report([...problems, ...differences(title, known.options, options)]);
      const problem = known.made.defineAgain();
      if (problem !== undefined) planner.report([`${title}: ${problem}`]);
      return new Command<Args, Result | Spare>(known.made, functions);
    }
    const definitions = new Definitions('the command is defined more than once');
    const lazyPlan = planner.register(
      {
        name,
        title,
        owner: COMMANDS,
        overrideKeys: pipeline === undefined ? [name] : [pipeline, name],
        policies: new Map(Object.entries(own)),
        pipeline,
        order: undefined,
        method: undefined,
        anyWork: false,
        instances: definitions,
      },
      problems,
    );
    const state = new CommandState(name, lazyPlan, this.runtime, definitions);
    this.known.set(name, { options, made: state });
    return new Command<Args, Result | Spare>(state, functions);
  }

  /**
   * The policies of a decorated method in force: its stages in order, and the options with all layers merged.
   *
   * @throws {Error} when the method is not decorated
   * @throws {TypeError} when `type` is not a class or `method` is not a string
   *
   * @example
   * const { stages, policies } = resilience.describe(StorageClient, 'getBooks');
   */
  describe(type: Function, method: string): PipelineDescription {
    if (typeof type !== 'function' || typeof method !== 'string') {
      const right = 'use a class and the name of a method; for a command, command.describe()';
      throw new TypeError(`describe(${show(type)}, ${show(method)}): ${right}`);
    }
    return this.runtime.describe(type, method);
  }

  /**
   * Changes options of any policy while the application runs: a layer above all others, in which the most specific
   * target wins. Other options stay unchanged; later patches of a target add to earlier ones. Breakers, bulkheads and
   * waiting calls keep their state; running calls end under the options that they began with. Emits a `configuration`
   * event.
   *
   * With `scope: 'shared'` the change applies to all instances that share the store: here at once, elsewhere as soon as
   * they receive it, and to instances that start later. It must be plain data. A change of one instance alone takes
   * precedence.
   *
   * @param target `'*'`, `'Class'`, `'Class.method'`, or the name of a command, a pipeline, a protected object or its
   * method, a breaker or a bulkhead (for all its keys, including those not used yet)
   * @param patch options by policy; `null` reverts all earlier patches of the target
   * @param note who makes the change, why, for which instances, and until when
   * @throws {ResilienceConfigurationError} with all problems, when the change is wrong or the application has not started;
   * then nothing has changed
   *
   * @example
   * resilience.configure('StorageClient.getBooks', { retry: { maxRetries: 1 }, timeout: '500ms' }, { by: 'anna' });
   */
  configure(target: string, patch: Patch | null, note?: PatchNote): void {
    if (target === 'fetch') this.ownFetch ??= this.createFetch(); // made when it is needed, or when an override refers to it
    this.runtime.configure(target, patch, note);
  }

  /**
   * A pipeline for any code: one of `forRoot({ pipelines })` by its name, or a new one with these policies.
   *
   * @throws {ResilienceConfigurationError} once the application has started: when the options are wrong, when there is a
   * pipeline of that name with other options, or when no pipeline has that name and no policies were given. Earlier, the
   * start of the application reports these problems
   *
   * @example
   * const books = await resilience.pipeline('storagesvc').execute(({ signal }) => getBooks(signal));
   */
  pipeline(name: string, options?: PipelineOptions): NamedPipeline {
    const read = legibleThroughout(options);
    const title = `pipeline ${show(name)}`;
    const root = ownOf(this.runtime.layers.pipelines, name);
    const known = this.pipelines.get(name);
    const { planner } = this.runtime;
    const problems = problemsOf(title, name, read === undefined ? {} : read, checkPipeline).all;
    if (root !== undefined && read !== undefined) {
      problems.push(`${title}: is defined in forRoot({ pipelines }); leave the policies out here`);
    }
    const given = isPlainObject(read) ? (read as PipelineOptions) : undefined; // else reported
    if (known !== undefined) {
      const others =
        given === undefined ? [] : differences(title, known.options, comparable(given));
      planner.report([...problems, ...others]);
      return known.made;
    }
    if (root === undefined && read === undefined) problems.push(this.unknownPipeline(title));
    const { order, ...set } = given ?? {};
    const own = normalized(set);
    const lazyPlan = planner.register(
      {
        name,
        title,
        owner: PIPELINES,
        overrideKeys: [name],
        policies: new Map(Object.entries(own)),
        pipeline: root === undefined ? undefined : name,
        order,
        method: undefined,
        anyWork: true,
      },
      problems,
    );
    const made = new NamedPipeline(name, lazyPlan, this.runtime);
    this.pipelines.set(name, { options: comparable(given ?? {}), made });
    return made;
  }

  /**
   * An object that stands for `instance` and has the same type, but whose methods have policies: for objects that cannot be
   * decorated. Everything reaches the instance, which is `this` in its methods. Methods that are not asynchronous stay
   * unchanged.
   *
   * @throws {ResilienceConfigurationError} once the application has started: when the options are wrong, when the instance does not
   * have one of the methods, or when the name is in use with other options. Earlier, the start of the application reports
   * these problems
   *
   * @example
   * this.s3 = resilience.protect(new S3Client({}), { name: 's3', methods: { send: { retry: {}, timeout: '2s' } } });
   */
  protect<T extends object>(instance: T, options: ProtectOptions<T>): T {
    return this.protections.protect(instance, options);
  }

  /**
   * The global `fetch` with policies: a circuit breaker per host, retries of requests that may be sent again, time limits, as
   * `createFetch({})` makes it. Its name is `fetch`.
   *
   * @throws what `fetch` throws, by identity; `CircuitOpenError`, `TimeoutError`. An answer is returned whatever its status is
   */
  fetch(...request: Parameters<typeof globalThis.fetch>): Promise<Response> {
    return (this.ownFetch ??= this.createFetch())(...request);
  }

  /**
   * A `fetch` with policies of its own. Clients of the same name share their state.
   *
   * @throws {ResilienceConfigurationError} once the application has started, when the options are wrong. Earlier, the start of the
   * application reports these problems
   *
   * @example
   * this.fetch = resilience.createFetch({ name: 'books', retry: { maxRetries: 2 }, timeout: '2s' });
   */
  createFetch(options: FetchOptions = {}): typeof globalThis.fetch {
    return createFetch(this.runtime, options);
  }

  /** @internal For clients in entry points of their own. */
  httpClient(policies: HttpPolicies, defaultName: string): HttpClient {
    return new HttpClient(this.runtime, policies, defaultName);
  }

  /** @internal The pipelines of all methods, commands and names, each option with the layer that it comes from. */
  explain(): IterableIterator<PipelineExplanation> {
    return this.runtime.explain();
  }

  /** @internal The layers of the application's configuration. */
  get layers(): Layers {
    return this.runtime.layers;
  }

  /** All commands, one per name. */
  *commands(): IterableIterator<CommandView> {
    for (const { made } of this.known.values()) yield made;
  }

  /**
   * The policies in force of everything that is protected, one description per name: methods, commands and pipelines.
   * Objects that were protected while the application runs are left out.
   */
  *descriptions(): IterableIterator<PipelineDescription> {
    const seen = new Set<string>();
    const { runtime, known, pipelines } = this;
    for (const plan of runtime.planner.all()) {
      if (seen.has(plan.description.name)) continue;
      seen.add(plan.description.name);
      yield runtime.describePlan(plan);
    }
    for (const { made } of [...known.values(), ...pipelines.values()]) {
      if (!seen.has(made.name)) yield made.describe();
    }
  }

  private unknownPipeline(title: string): string {
    const names = [...Object.keys(this.runtime.layers.pipelines), ...this.pipelines.keys()];
    const known = Array.from(new Set(names), show).join(', ');
    const right = known === '' ? 'define it in forRoot({ pipelines })' : `use one of ${known}`;
    return `${title}: there is none; give its policies, or ${right}`;
  }
}
