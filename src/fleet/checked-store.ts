import { ask, look } from '../common/outcomes/look.js';
import { show } from '../common/printable.js';
import { Complaints } from './complaints.js';
import type {
  CircuitReply,
  CircuitStep,
  CircuitView,
  FleetSettings,
  InstanceInfo,
  LimitDecision,
  LimitRequest,
  LivingInstance,
  PlacesReply,
  PlacesStep,
  ResilienceStore,
  StoreMessage,
} from './store.js';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isAmount: Check = (value) => Number.isFinite(value) && (value as number) >= 0;
const isAmountOrNever: Check = (value) => isAmount(value) || value === Infinity;

const isOneOf =
  (...allowed: readonly unknown[]): Check =>
  (value) =>
    allowed.includes(value);

const isOptional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const isListOf =
  (check: Check): Check =>
  (value) =>
    ask(() => Array.isArray(value) && value.every(check), false);

function has(members: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(members);
  return (value) =>
    typeof value === 'object' && checks.every(([key, check]) => check(look(value, key)));
}

const isOverride = has({
  state: isOneOf('forced-open', 'forced-closed', 'disabled', 'observe-only'),
  by: isOptional(isText),
  reason: isOptional(isText),
  remainingMs: isOptional(isAmount),
});

const isView = has({
  state: isOneOf('closed', 'open', 'half-open'),
  epoch: isCount,
  incarnation: isText,
  remainingMs: isAmount,
  openings: isCount,
  override: isOptional(isOverride),
  cleared: isOptional(isOneOf(true)),
});

const isCircuitReply = has({ granted: isFlag, view: isView, retryAfterMs: isOptional(isAmount) });

const isDecision = has({
  allowed: isFlag,
  waitMs: isAmount,
  remaining: isAmount,
  retryAfterMs: isAmountOrNever,
  resetMs: isAmount,
  otherRate: isOptional(isFlag),
});

const isPlacesReply = has({
  granted: isFlag,
  inUse: isCount,
  retryAfterMs: isOptional(isAmount),
  lost: isOptional(isListOf(isText)),
});

const isList: Check = (value) => ask(() => Array.isArray(value), false);

const isInstance = has({
  id: isText,
  version: isOptional(isText),
  host: isOptional(isText),
  ageMs: isOptional(isAmount),
  silentMs: isAmount,
});

const isSettings = has({ revision: isCount, settings: isText, ageMs: isAmount, changed: isFlag });

const MESSAGES: Readonly<Record<StoreMessage['type'], Check>> = {
  circuit: has({ name: isText, view: isView }),
  settings: has({ revision: isCount }),
  place: has({ name: isText }),
  reconnected: () => true,
};

/**
 * Makes sure that a store keeps to the interface. A user's store may answer anything: an invalid answer rejects, like a step
 * that cannot be made, and an invalid message is ignored. Unreadable data of one circuit does not affect others: an unreadable
 * override counts as none, an unreadable circuit as unknown.
 */
export class CheckedStore implements ResilienceStore {
  private readonly complaints: Complaints;

  constructor(
    private readonly store: ResilienceStore,
    log: (message: string) => void,
  ) {
    this.complaints = new Complaints(log);
  }

  get kind(): string {
    return this.store.kind;
  }

  async circuit(name: string, step: CircuitStep): Promise<CircuitReply> {
    const reply = await this.store.circuit(name, step);
    const view: unknown = look(reply, 'view');
    if (isView(view)) return checked('circuit', isCircuitReply, reply);
    const rest = this.withoutOverride(name, view);
    return checked(
      'circuit',
      isCircuitReply,
      rest === undefined ? reply : { ...reply, view: rest },
    );
  }

  async circuits(names: readonly string[]): Promise<readonly (CircuitView | undefined)[]> {
    const views = checked('circuits', isList, await this.store.circuits(names));
    checked('circuits', ({ length }) => length === names.length, views);
    if (views.every(isOptional(isView))) return views;
    return names.map((name, i) => this.readable(name, views[i]));
  }

  async limit(name: string, request: LimitRequest): Promise<LimitDecision> {
    const decision = await this.store.limit(name, request);
    // Stores count whole milliseconds.
    if (isDecision(decision) && decision.waitMs < request.maxWaitMs + 1) return decision;
    throw noAnswer('limit', decision);
  }

  async places(name: string, step: PlacesStep): Promise<PlacesReply> {
    const reply = await this.store.places(name, step);
    if (isPlacesReply(reply) && saysAll(step, reply)) return reply;
    throw noAnswer('places', reply);
  }

  async heartbeat(instance: InstanceInfo, ttlMs: number): Promise<number> {
    return checked('heartbeat', isCount, await this.store.heartbeat(instance, ttlMs));
  }

  async instances(): Promise<readonly LivingInstance[]> {
    const instances = checked('instances', isList, await this.store.instances());
    // Instances of another version may report anything; they must not hide the others.
    return instances.filter(isInstance);
  }

  leave(instanceId: string): Promise<void> {
    return this.store.leave(instanceId);
  }

  async settings(): Promise<FleetSettings | undefined> {
    return checked('settings', isOptional(isSettings), await this.store.settings());
  }

  async changeSettings(expectedRevision: number, settings: string): Promise<FleetSettings> {
    const answer = await this.store.changeSettings(expectedRevision, settings);
    return checked('changeSettings', isSettings, answer);
  }

  subscribe(listener: (message: StoreMessage) => void): Promise<() => Promise<void>> {
    return this.store.subscribe((message) => {
      const type = look(message, 'type') as StoreMessage['type'];
      if (!Object.hasOwn(MESSAGES, type)) return;
      if (MESSAGES[type](message)) return listener(message);
      const name = look(message, 'name');
      if (type !== 'circuit' || typeof name !== 'string') return;
      const view = this.withoutOverride(name, look(message, 'view'));
      if (view !== undefined) listener({ type, name, view });
    });
  }

  close(): Promise<void> {
    return this.store.close();
  }

  private readable(name: string, view: CircuitView | undefined): CircuitView | undefined {
    if (view === undefined || isView(view)) return view;
    const rest = this.withoutOverride(name, view);
    if (rest === undefined) {
      this.complaints.add(`circuit ${show(name)} cannot be read; it counts as unknown`);
    }
    return rest;
  }

  /** An invalid view without its override; `undefined` if it is still invalid. */
  private withoutOverride(name: string, view: unknown): CircuitView | undefined {
    const rest = ask(() => {
      const { override: _, ...others } = view as CircuitView;
      return others;
    }, undefined);
    if (!isView(rest)) return undefined;
    this.complaints.add(`the override of circuit ${show(name)} cannot be read; it counts as none`);
    return rest;
  }
}

/** @throws TypeError for an invalid answer */
function checked<T>(method: keyof ResilienceStore, isAnswer: (answer: T) => boolean, answer: T): T {
  if (isAnswer(answer)) return answer;
  throw noAnswer(method, answer);
}

/** Whether a renewal that was not granted says which tokens are lost. */
function saysAll({ type }: PlacesStep, { granted, lost }: PlacesReply): boolean {
  return type !== 'renew' || granted || lost !== undefined;
}

function noAnswer(method: keyof ResilienceStore, answer: unknown): TypeError {
  return new TypeError(
    `${method}() returned ${show(answer)}, which is not a valid answer of a store`,
  );
}
