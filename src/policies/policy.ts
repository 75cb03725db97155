import type { Clock } from '../common/clock.js';
import type { OptionsReader } from '../common/options-reader.js';
import type { OutcomeRule } from '../common/outcomes/outcome.js';
import type { ObjectShape, Shape } from '../common/shape.js';
import type { FleetSite } from '../fleet/shared-circuit.js';
import type { Sleeper } from '../pipeline/sleeper.js';
import type { Stage } from '../pipeline/stage.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import type { PolicySnapshots } from './snapshots.js';

/** The details of a decorated method that policies need. */
export interface ProtectedMethod {
  readonly name: string;
  /** Its key on the target: two symbols may have the same name. */
  readonly key: string | symbol;
  /** The class whose instances run it. */
  readonly owner: Function;
  /** Holds the method and its neighbours: the prototype, or the class when it is static. */
  readonly target: object;
  /** How many parameters the method declares. */
  readonly arity: number;
  /** True for a handler (HTTP, RPC, WebSocket, GraphQL), whose arguments come from outside. */
  readonly handler: boolean;
  /** True for a handler that sends its response itself: Nest then ignores what it returns. */
  readonly sendsResponse: boolean;
}

/** The instances whose calls share a plan. */
export interface Instances {
  /** The reason why there are, or may be, several, as a clause for messages; `undefined` when there is only one. */
  readonly many: string | undefined;
  /** Whether `self` is the only one. */
  isOnly(self: unknown): boolean;
}

/** The subject that policies are being set up for, and the services of its application. */
export interface PolicySite {
  /** The name of the method (`Class.method`), command or pipeline. */
  readonly name: string;
  /** The name of its own part of a kind: the subject's, or that of the pipeline that the policy comes from. */
  partNameOf(kind: string): string;
  /** `undefined` for a command or a pipeline. */
  readonly method: ProtectedMethod | undefined;
  /** Whether different calls may run different code: those of a pipeline used from code. */
  readonly anyWork: boolean;
  /** The instances, or the definitions of a command, that make the calls; `undefined` for a static method or a pipeline. */
  readonly instances: Instances | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: ResilienceEvents;
  /** Warns operators, once per message. */
  warn(message: string): void;
  /** For waits, which end early when the application closes. */
  readonly sleeper: Sleeper;
  /** The named, stateful parts of the application. */
  readonly named: NamedParts;
  /** The store that connects shared parts with those of other instances; `undefined` when the application has none. */
  readonly fleet: FleetSite | undefined;
  /** Calls `callback` when the application closes. @returns a function that cancels this */
  onClose(callback: () => void): () => void;
  /** The options in force for a policy of another method of the class; `undefined` when it has no such policy. */
  optionsOf(method: string, kind: string): object | undefined;
  /** A provider of the application; `undefined` when there is none. */
  resolve(token: unknown): unknown;
  /** Calls a method of `self` as another one's fallback: with its own policies, without those of its class. */
  callAsSubstitute(self: unknown, method: string, args: readonly unknown[]): unknown;
}

/** The parts of policies that have a name and a state, and that several subjects may share. */
export interface NamedParts {
  /** The part of that kind and name; made by `create` from its declared settings on the first call. */
  obtain<T extends object, S>(kind: string, name: string, create: (settings: S) => T): T;
}

/** A stateful part that a subject's options name or, by default, that is the subject's own. */
export interface NamedPart {
  /** `undefined`: the subject's own part, with the name from {@link PolicySite.partNameOf}. */
  readonly name: string | undefined;
  /** Whether it has the name of the subject even if the policy comes from a pipeline. */
  readonly private?: boolean;
  /** The settings of the part; all definitions have to agree. */
  readonly settings: unknown;
  /** The options on which all definitions have to agree. Default: all of them. */
  readonly shape?: object;
}

/** The options of a policy as data, for environment variables and the JSON schema. */
export interface PolicyShape {
  readonly options: ObjectShape;
  /** The shorthand. */
  readonly short?: Shape;
}

/** Stage factories, each called once, after validation. */
export type StageMakers = Readonly<Record<string, () => Stage>>;

/** The details of a pipeline's other policies that a policy needs. */
export interface Surroundings {
  /** The settings of the policy of that kind; `undefined` when the pipeline has none. */
  readonly settingsOf: <Settings>(kind: string) => Settings | undefined;
  /** Whether the stage `inner` is inside the stage `outer`. */
  readonly isInside: (inner: string, outer: string) => boolean;
}

/**
 * One kind of protection: the meaning of its options, and the stages of a pipeline that they become.
 *
 * `Given` is the type of what users write, `Options` the same without shorthands, `Settings` the same, complete and
 * checked.
 *
 * Three option names have a meaning of their own, for every policy:
 *
 * - `enabled` says whether the policy is in force. It is removed before {@link read}; declare it by extending `Switchable`.
 * - `config` names a configuration of `forRoot({ configs })` to take options from. It is removed before {@link read}; declare
 *   it in `Options`, so that users may write it.
 * - `name` is the name of the {@link part}. It also selects the configuration of that name, if there is one and `config` does
 *   not name another. Options with nothing but these three, `name` among them, and those in {@link ofSubject} refer to a part
 *   that another subject defines.
 */
export interface Policy<Kind extends string, Options extends object, Settings, Given = Options> {
  /** Its key in `defaults`, `configs` and `overrides`. */
  readonly kind: Kind;
  /** Its name for users: `@Retry`. */
  readonly label: string;
  /** Whether its options can only be checked for a certain method or command, and while the policy is in force. */
  readonly boundToSubject?: boolean;
  /** The options that are objects themselves, which layers of configuration merge. */
  readonly nested?: readonly string[];
  /**
   * The options that belong to the subject rather than to the {@link part}: its users may differ in them, and options that
   * only refer to the part may have them.
   */
  readonly ofSubject?: readonly string[];
  /**
   * Its options as data: without it, no environment variable can set them, and the JSON schema leaves the policy out.
   */
  readonly shape?: PolicyShape;
  /** Expands the shorthands that decorators, defaults, pipelines and commands accept. */
  normalize(given: Given): Options;
  /** Completes and checks the options; reports problems to the reader and continues. */
  read(read: OptionsReader<Options>, site: PolicySite): Settings;
  /** Reports contradictions with the other policies of the pipeline. */
  check?(settings: Settings, around: Surroundings, report: (problem: string) => void): void;
  /** The outcome rule for a command's metrics, if the policy judges outcomes for counting. */
  outcomes?(settings: Settings): OutcomeRule;
  /** The stateful part behind the stages, if there is one. */
  part?(settings: Settings): NamedPart | undefined;
  /**
   * Reports contradictions between the subject's own options and the part that it uses.
   *
   * @param declared the settings of the part: the subject's own where it defines the part
   */
  checkPart?(settings: Settings, declared: Settings, report: (problem: string) => void): void;
  /** Gives the part other settings while the application runs. It keeps its state, its waiting calls and its key. */
  reconfigure?(part: object, settings: Settings): void;
  /** Options that may hold data of users, which events must not contain. */
  readonly hiddenOptions?: readonly string[];
  /** Factories of its stages, by their names in the canonical order. */
  stages(settings: Settings, site: PolicySite): StageMakers;
  /**
   * The options for a command, which may be defined more than once. Each function is replaced by one that reads the
   * definition from its `this` and calls that definition's function.
   */
  askDefinition?(given: Given): Given;
  /**
   * Returns a problem that arises when a command is defined more than once. @param many the reason, as a clause for
   * messages
   */
  checkDefinedAgain?(settings: Settings, many: string): string | undefined;
  /** The settings as options, as far as they are plain values; used where no options are given. */
  inForce?(settings: Settings): Readonly<Record<string, unknown>>;
  /** Its share of a command's snapshot. @param part its stateful part */
  snapshot?(settings: Settings, part: object | undefined): Partial<PolicySnapshots>;
}
