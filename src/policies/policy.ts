import type { Clock } from '../common/clock.js';
import type { OptionsReader } from '../common/options-reader.js';
import type { OutcomeRule } from '../common/outcomes/outcome.js';
import type { Sleeper } from '../pipeline/sleeper.js';
import type { Stage } from '../pipeline/stage.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import type { PolicySnapshots } from './snapshots.js';

/** A decorated method, as far as policies have to know it. */
export interface ProtectedMethod {
  readonly name: string;
  /** Its key on the target: two symbols may have one name. */
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

/** The instances whose calls have one plan. */
export interface Instances {
  /** Why there are, or may be, several, as a clause for messages; `undefined` when there is one. */
  readonly many: string | undefined;
  /** Whether `self` is the only one. */
  isOnly(self: unknown): boolean;
}

/** The subject that policies are being set up for, and the services of its application. */
export interface PolicySite {
  /** `Class.method`, or what a command or a pipeline is called. */
  readonly name: string;
  /** The name of its own part of a kind: the site's, or that of the pipeline that the policy comes from. */
  partNameOf(kind: string): string;
  /** `undefined` for a command or a pipeline. */
  readonly method: ProtectedMethod | undefined;
  /** Whether its calls do different things, whatever their arguments: a pipeline, used from code. */
  readonly anyWork: boolean;
  /** Whose calls these are; `undefined` where there is no instance: a static method, a pipeline. */
  readonly instances: Instances | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: ResilienceEvents;
  /** Warns operators, once per message. */
  warn(message: string): void;
  /** Tells operators of something that happened, each time. */
  log(message: string, level?: 'log' | 'warn'): void;
  /** Waits of the policies; ended early when the application closes. */
  readonly sleeper: Sleeper;
  /** The named, stateful parts of the application, made by `create` when there is none yet. */
  readonly named: NamedParts;
  /** Has `callback` called when the application closes. */
  onClose(callback: () => void): void;
  /** The options in force for that policy of another method of the class; `undefined` when it has none. */
  optionsOf(method: string, kind: string): object | undefined;
  /** Finds a provider of the application. */
  resolve(token: unknown): unknown;
  /** Calls a method of `self` in another one's place: with its own policies, without those of its class. */
  callAsSubstitute(self: unknown, method: string, args: readonly unknown[]): unknown;
}

/** The parts of policies that have a name and a state, and that several methods may share. */
export interface NamedParts {
  /** The part of that kind and name; `create` makes it, from the settings that it was declared with, when it is new. */
  obtain<T extends object, S>(kind: string, name: string, create: (settings: S) => T): T;
}

/** A stateful part that a site's options name or, by default, have to themselves. */
export interface NamedPart {
  /** `undefined`: the site's own, called as {@link PolicySite.partNameOf} says. */
  readonly name: string | undefined;
  /** Whether it is called as the site is, whatever pipeline that uses. */
  readonly private?: boolean;
  /** The settings of the part; all definitions have to agree. */
  readonly settings: unknown;
  /** The options that all definitions have to agree about. Default: all of them. */
  readonly shape?: object;
}

/** Stage factories, each called once, after validation. */
export type StageMakers = Readonly<Record<string, () => Stage>>;

/** The other policies of a pipeline, as far as one has to know them. */
export interface Surroundings {
  /** The settings of the policy of that kind; `undefined` when the pipeline has none. */
  readonly settingsOf: <Settings>(kind: string) => Settings | undefined;
  /** Whether the stage `inner` stands further inside than `outer`. */
  readonly isInside: (inner: string, outer: string) => boolean;
}

/**
 * One kind of protection: what its options mean and which stages of a pipeline they become.
 *
 * `Given` is what users write, `Options` the same without shorthands, `Settings` the same, complete and checked.
 */
export interface Policy<Kind extends string, Options extends object, Settings, Given = Options> {
  /** Its key in `defaults`, `configs` and `overrides`. */
  readonly kind: Kind;
  /** As users know it: `@Retry`. */
  readonly label: string;
  /** Whether its options can only be checked together with a method or a command that they are for. */
  readonly boundToSubject?: boolean;
  /** The options that are objects themselves, which layers of configuration merge. */
  readonly nested?: readonly string[];
  /** Options from what decorators, defaults, pipelines and commands accept. */
  normalize(given: Given): Options;
  /** Completes and checks the options; problems are reported to the reader, which goes on. */
  read(read: OptionsReader<Options>, site: PolicySite): Settings;
  /** Reports what contradicts the other policies of the pipeline. */
  check?(settings: Settings, around: Surroundings, report: (problem: string) => void): void;
  /** How it tells good calls from bad ones, when it is the one that counts them. */
  outcomes?(settings: Settings): OutcomeRule;
  /** The stateful part behind the stages, when there is one. */
  part?(settings: Settings): NamedPart | undefined;
  /** Factories of its stages, by their names in the canonical order. */
  stages(settings: Settings, site: PolicySite): StageMakers;
  /**
   * The same options for a command that may be defined more than once: their functions ask the definition that a call was
   * made by, which is their `this`.
   */
  askDefinition?(given: Given): Given;
  /** A problem that only arises when a command is defined once more, which `many` says, as a clause for messages. */
  checkDefinedAgain?(settings: Settings, many: string): string | undefined;
  /** Its share of a command's snapshot. @param part its stateful part */
  snapshot?(settings: Settings, part: object | undefined): Partial<PolicySnapshots>;
}
