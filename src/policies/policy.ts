import type { Clock } from '../common/clock.js';
import type { OptionsReader } from '../common/options-reader.js';
import type { Sleeper } from '../pipeline/sleeper.js';
import type { Stage } from '../pipeline/stage.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';

/** The method that policies are being set up for, and what its application offers them. */
export interface PolicySite {
  /** `Class.method`. */
  readonly name: string;
  /** The class whose instances run it. */
  readonly owner: Function;
  readonly method: string;
  /** What has the method and its neighbours: the prototype, or the class when it is static. */
  readonly target: object;
  /** How many parameters the method declares. */
  readonly arity: number;
  /** True for a handler (HTTP, RPC, WebSocket, GraphQL), whose arguments come from outside. */
  readonly handler: boolean;
  /** True for a handler that sends its response itself: Nest then ignores what it returns. */
  readonly sendsResponse: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: ResilienceEvents;
  /** Tells operators of something that is wrong, once a message. */
  warn(message: string): void;
  /** Tells operators of something that happened. */
  log(message: string): void;
  /** Waits of the policies; ended early when the application closes. */
  readonly sleeper: Sleeper;
  /** The named, stateful parts of the application, made by `create` when there is none yet. */
  readonly named: NamedParts;
  /** Has `callback` called when the application closes. */
  onClose(callback: () => void): void;
  /** What decorators say of that policy of another method of the class. */
  optionsOf(method: string, kind: string): object | undefined;
  /** Finds a provider of the application. */
  resolve(token: unknown): unknown;
}

/** The parts of policies that have a name and a state, and that several methods may share. */
export interface NamedParts {
  /** The part of that kind and name; `create` makes it, from the settings that it was declared with, when it is new. */
  obtain<T extends object, S>(kind: string, name: string, create: (settings: S) => T): T;
}

/** A stateful part that a method's options name or, by default, have to themselves. */
export interface NamedPart {
  /** `undefined`: the method's own, called `Class.method`. */
  readonly name: string | undefined;
  /** What the part is made with; all who define it have to agree. */
  readonly settings: unknown;
}

/**
 * One kind of protection: what its options mean and which stages of a pipeline they become.
 *
 * `Options` is what users write, `Settings` the same, complete and checked.
 */
export interface Policy<Kind extends string, Options extends object, Settings> {
  /** Its key in `defaults`, `configs` and `overrides`. */
  readonly kind: Kind;
  /** As users know it: `@Retry`. */
  readonly label: string;
  /** Options from the shorthand that a decorator accepts. */
  normalize(given: unknown): Options;
  /** Completes and checks the options; problems are reported to the reader, which goes on. */
  settle(read: OptionsReader<Options>, site: PolicySite): Settings;
  /** The stateful part behind the stages, when there is one. */
  part?(settings: Settings): NamedPart | undefined;
  /** The stages by their names in the canonical order. */
  stages(settings: Settings, site: PolicySite): Partial<Record<string, Stage>>;
}
