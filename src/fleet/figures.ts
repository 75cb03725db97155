import { isPlainObject } from '../common/options-reader.js';
import type { CircuitPhase } from './store.js';

/** The outcomes of the calls of a shared breaker within the last ten seconds. */
export interface Figures {
  /** Calls that were admitted and have ended. */
  readonly calls: number;
  /** Those of them that have failed or run out of time. */
  readonly failures: number;
  /** Calls that the open circuit has rejected. */
  readonly rejections: number;
}

/** The figures of one breaker on one instance. */
export interface BreakerFigures extends Figures {
  readonly name: string;
  /** Of the breaker on that instance, without the override. */
  readonly state: CircuitPhase;
}

/** How many bytes of JSON the figures of an instance take at most. */
const BYTES = 1_000;

/** So many breakers are looked at: an instance may have one for each of a hundred thousand keys. */
const LOOKED_AT = 1_000;

/** The form in which figures are told. */
type Row = readonly [
  name: string,
  state: CircuitPhase,
  calls: number,
  failures: number,
  rejections: number,
];

const STATES: readonly unknown[] = ['closed', 'open', 'half-open'] satisfies CircuitPhase[];

/** The figures of an instance's breakers, as the others are told them. */
export interface ToldFigures {
  readonly breakers: readonly Row[];
  /** Breakers that had no place. */
  readonly more?: number;
}

/** The figures of all breakers of an instance, those with the most trouble and the most calls first. */
export function figuresOf(
  members: Iterable<{
    readonly name: string;
    readonly state: CircuitPhase;
    readonly figures: Figures;
  }>,
): BreakerFigures[] {
  const all: BreakerFigures[] = [];
  for (const { name, state, figures } of members) {
    if (all.push({ name, state, ...figures }) === LOOKED_AT) break;
  }
  return all.sort((one, other) => weight(other) - weight(one));
}

/** As many of them as fit, in order. @param total how many breakers there are */
export function toldFigures(figures: readonly BreakerFigures[], total: number): ToldFigures {
  const breakers: Row[] = [];
  let left = BYTES;
  for (const { name, state, calls, failures, rejections } of figures) {
    const row: Row = [name, state, calls, failures, rejections];
    left -= Buffer.byteLength(JSON.stringify(row)) + 1;
    if (left < 0) break;
    breakers.push(row);
  }
  const more = total - breakers.length;
  return { breakers, ...(more > 0 && { more }) };
}

/** The figures that an instance has told. One of another version of the library may tell anything. */
export function readFigures(facts: unknown): { breakers: BreakerFigures[]; more: number } {
  const { breakers, more } = isPlainObject(facts) ? facts : {};
  const rows = Array.isArray(breakers) ? breakers.filter(isRow) : [];
  return {
    breakers: rows.map(([name, state, calls, failures, rejections]) => {
      return { name, state, calls, failures, rejections };
    }),
    more: isCount(more) ? more : 0,
  };
}

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row)) return false;
  const [name, state, ...counts] = row as unknown[];
  const isNamed = typeof name === 'string' && STATES.includes(state);
  return isNamed && counts.length >= 3 && counts.slice(0, 3).every(isCount);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}

/** Breakers that are not closed come before all others. */
function weight({ state, calls, rejections }: BreakerFigures): number {
  return (state === 'closed' ? 0 : 1e12) + calls + rejections;
}
