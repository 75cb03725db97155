import { ask } from '../common/outcomes/look.js';
import type {
  CircuitReply,
  CircuitView,
  FleetSettings,
  InstanceInfo,
  LimitDecision,
  LivingInstance,
  PlacesReply,
  SharedOverride,
  StoreMessage,
} from '../fleet/store.js';

/** The reply of a script as text, however the client is set to read it. */
export function texts(reply: unknown): string[] {
  if (!Array.isArray(reply)) throw new TypeError('the reply of Redis to a script is not an array');
  return reply.map(String);
}

const NO_OVERRIDE = {} as SharedOverride;

/** The view, with an override that need not be valid. */
export function readView([
  state,
  epoch,
  incarnation,
  remainingMs,
  openings,
  override,
  overrideMs,
  cleared,
]: readonly string[]): CircuitView {
  return {
    state: state as CircuitView['state'],
    epoch: Number(epoch),
    incarnation: incarnation!,
    remainingMs: Number(remainingMs),
    openings: Number(openings),
    ...(override !== '' && {
      override: {
        // The check of the view leaves out an invalid one, also one of another version.
        ...ask(() => JSON.parse(override!) as SharedOverride, NO_OVERRIDE),
        ...(overrideMs !== '' && { remainingMs: Number(overrideMs) }),
      },
    }),
    ...(cleared === '1' && { cleared: true }),
  };
}

export function readCircuit([granted, retryAfter, , ...view]: readonly string[]): CircuitReply {
  return {
    granted: granted === '1',
    view: readView(view),
    ...(retryAfter !== '' && { retryAfterMs: Number(retryAfter) }),
  };
}

export function readDecision([
  allowed,
  remaining,
  wait,
  retryAfter,
  reset,
  other,
]: readonly string[]): LimitDecision {
  return {
    allowed: allowed === '1',
    waitMs: Number(wait),
    remaining: Number(remaining),
    retryAfterMs: retryAfter === '' ? Infinity : Number(retryAfter),
    resetMs: Number(reset),
    ...(other === '1' && { otherRate: true }),
  };
}

export function readPlaces(
  [granted, inUse, retryAfter, , ...lost]: readonly string[],
  renewal: boolean,
): PlacesReply {
  return {
    granted: granted === '1',
    inUse: Number(inUse),
    ...(retryAfter !== '' && { retryAfterMs: Number(retryAfter) }),
    ...(renewal && { lost }),
  };
}

/** Pairs: how many milliseconds ago, and JSON. Reports of another version may be anything. */
export function readInstances(told: readonly string[]): LivingInstance[] {
  const instances: LivingInstance[] = [];
  for (let i = 0; i < told.length; i += 2) {
    const info = ask(() => JSON.parse(told[i + 1]!) as InstanceInfo, undefined);
    if (info !== undefined) instances.push({ ...info, silentMs: Number(told[i]) });
  }
  return instances;
}

export function readSettings([
  changed,
  revision,
  ageMs,
  settings,
]: readonly string[]): FleetSettings {
  return {
    revision: Number(revision),
    settings: settings!,
    ageMs: Number(ageMs),
    changed: changed === '1',
  };
}

/** A message of the channel; `undefined` for one that is not a message of a store. */
export function readMessage(message: string): StoreMessage | undefined {
  try {
    const parts: unknown = JSON.parse(message);
    if (!Array.isArray(parts)) return undefined;
    const [type, first, ...view] = parts.map(String);
    if (type === 'settings') return { type, revision: Number(first) };
    if (type === 'place') return { type, name: readName(first!) };
    if (type === 'circuit') return { type, name: readName(first!), view: readView(view) };
  } catch {
    // Other software may use the channel.
  }
  return undefined;
}

function readName(json: string): string {
  return JSON.parse(json) as string;
}
