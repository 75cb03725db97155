import { isPlainObject } from '../common/objects.js';
import {
  type FleetChange,
  type SharedPatch,
  isRevocation,
  standing,
  withChange,
} from './fleet-change.js';
import type { SeenChanges } from './seen-changes.js';

/** How many changes a fleet keeps at most. */
const CHANGES = 100;

/** How many bytes of JSON they take at most: each instance reads them with each heartbeat. */
const BYTES = 16_384;

/** How many of the changes that are gone are remembered. */
const GONE = 50;

/** The changes as they are kept in the store. */
export interface ChangeDocument {
  /** New with each document that does not follow another one: a store that has lost its data begins another life. */
  readonly life: string;
  /** Grows by one with each change, also when the store has lost them in between. */
  readonly version: number;
  readonly changes: readonly FleetChange[];
  /** The last changes that others reverted or replaced, by id: an instance that made one does not write it again. */
  readonly gone: readonly string[];
}

/** A document that has to be written. */
export interface Writing {
  readonly document: ChangeDocument;
  /** The changes of this instance that it includes; it may have no room for those that only revert others. */
  readonly told: readonly FleetChange[];
}

/** @param now on the clock of this instance */
export function encode({ life, version, changes, gone }: ChangeDocument, now: number): string {
  const entries = changes.map(({ endsAt, ...rest }) => ({
    ...rest,
    ...(endsAt !== Infinity && { remainingMs: Math.ceil(endsAt - now) }),
  }));
  return JSON.stringify({ life, version, changes: entries, gone });
}

/**
 * @param writtenAt when the document was written, on the clock of this instance
 * @returns `undefined` for a text that is not such a document; entries other than changes are left out
 */
export function decode(text: string, writtenAt: number): ChangeDocument | undefined {
  const document = parsed(text);
  if (!isPlainObject(document)) return undefined;
  const { life, version, changes, gone } = document;
  if (typeof life !== 'string' || !Number.isSafeInteger(version)) return undefined;
  if (!Array.isArray(changes)) return undefined;
  const known = changes.slice(0, CHANGES).flatMap((entry) => changeOf(entry, writtenAt));
  const ids: unknown[] = Array.isArray(gone) ? gone : [];
  const texts = ids.filter((id): id is string => typeof id === 'string');
  return { life, version: version as number, changes: known, gone: latest(texts) };
}

/** The changes that are known, and those that the store has received since it lost the known ones. */
export function united(
  known: ChangeDocument,
  given: ChangeDocument,
  seen: SeenChanges,
): Pick<ChangeDocument, 'changes' | 'gone'> {
  const gone = latest([...known.gone, ...given.gone]);
  const stay = known.changes.filter(({ id }) => !gone.includes(id));
  const added = given.changes.filter((change) => !seen.has(change) && !gone.includes(change.id));
  return { changes: added.reduce(withChange, stay), gone };
}

/** The ids that are remembered. */
export function latest(gone: readonly string[]): readonly string[] {
  return [...new Set(gone)].slice(-GONE);
}

/**
 * The changes that are kept: none that has expired and, if space is short, none that only reverts others.
 *
 * @returns `undefined` when there are still too many
 */
export function fitting(
  changes: readonly FleetChange[],
  now: number,
): readonly FleetChange[] | undefined {
  const all = standing(changes, now);
  if (fits(all, now)) return all;
  const fewer = all.filter((change) => !isRevocation(change));
  return fits(fewer, now) ? fewer : undefined;
}

/** For messages. */
export const LIMITS = `${CHANGES} changes and ${BYTES} bytes of JSON`;

function fits(changes: readonly FleetChange[], now: number): boolean {
  if (changes.length > CHANGES) return false;
  return Buffer.byteLength(encode({ life: '', version: 0, changes, gone: [] }, now)) <= BYTES;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The store may hold data that another version of the library, or other software, has written. */
function changeOf(entry: unknown, writtenAt: number): FleetChange[] {
  if (!isPlainObject(entry)) return [];
  const { id, target, patch, by, reason, remainingMs = Infinity } = entry;
  if (typeof id !== 'string' || typeof target !== 'string' || !isPatch(patch)) return [];
  if (typeof remainingMs !== 'number' || Number.isNaN(remainingMs)) return [];
  const change = {
    id,
    target,
    patch,
    ...(typeof by === 'string' && { by }),
    ...(typeof reason === 'string' && { reason }),
    endsAt: writtenAt + remainingMs,
  };
  return [change];
}

function isPatch(patch: unknown): patch is SharedPatch | null {
  if (patch === null) return true;
  if (!isPlainObject(patch)) return false;
  return Object.values(patch).every((options) => options === null || isPlainObject(options));
}
