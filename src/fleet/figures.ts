import { isPlainObject } from '../common/objects.js';
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

/** How many breakers are read: an instance may have one for each of a hundred thousand keys. */
const LOOKED_AT = 1_000;

/** How many breakers with names that are too long are skipped: shorter ones may still fit. */
const SKIPPED = 20;

/** The form in which figures are sent. */
type Row = readonly [
  name: string,
  state: CircuitPhase,
  calls: number,
  failures: number,
  rejections: number,
];

const STATES: readonly unknown[] = ['closed', 'open', 'half-open'] satisfies CircuitPhase[];

/** The figures of an instance's breakers, as sent to the others. */
export interface ToldFigures {
  readonly breakers: readonly Row[];
  /** How many breakers did not fit. */
  readonly more?: number;
  /** How many breakers are not closed, including those that did not fit; only together with {@link more}. */
  readonly open?: number;
}

/** A shared breaker of this instance. */
export interface MemberFigures {
  readonly name: string;
  readonly state: CircuitPhase;
  readonly figures: Figures;
}

/** The figures of an instance, as far as it has read its breakers. */
interface InstanceFigures {
  /** Those with the most trouble and the most calls first. */
  readonly breakers: readonly BreakerFigures[];
  /** How many breakers there are. */
  readonly total: number;
  /** How many of them are not closed. */
  readonly open: number;
}

/** The figures of the breakers of an instance: those that are not closed before all others. */
export function figuresOf(members: Iterable<MemberFigures>): InstanceFigures {
  const open: MemberFigures[] = [];
  const closed: MemberFigures[] = [];
  for (const member of members) (member.state === 'closed' ? closed : open).push(member);
  const looked = open.slice(0, LOOKED_AT);
  looked.push(...closed.slice(0, LOOKED_AT - looked.length));
  return {
    breakers: looked
      .map(({ name, state, figures }) => ({ name, state, ...figures }))
      .sort((one, other) => weight(other) - weight(one)),
    total: open.length + closed.length,
    open: open.length,
  };
}

/** As many of them as fit, in order. */
export function toldFigures({ breakers: all, total, open }: InstanceFigures): ToldFigures {
  const breakers: Row[] = [];
  let left = BYTES;
  let skipped = 0;
  for (const { name, state, calls, failures, rejections } of all) {
    const row: Row = [name, state, calls, failures, rejections];
    const bytes = Buffer.byteLength(JSON.stringify(row)) + 1;
    if (bytes <= left) {
      left -= bytes;
      breakers.push(row);
    } else if (++skipped === SKIPPED) break;
  }
  const more = total - breakers.length;
  return { breakers, ...(more > 0 && { more, open }) };
}

/** The figures that an instance has sent. One of another version of the library may send anything. */
export function readFigures(facts: unknown): {
  breakers: BreakerFigures[];
  more: number;
  open: number;
} {
  const { breakers: told, more, open } = isPlainObject(facts) ? facts : {};
  const rows = Array.isArray(told) ? told.filter(isRow) : [];
  const breakers = rows.map(([name, state, calls, failures, rejections]) => {
    return { name, state, calls, failures, rejections };
  });
  const seen = breakers.filter(({ state }) => state !== 'closed').length;
  return {
    breakers,
    more: isCount(more) ? more : 0,
    open: isCount(open) ? Math.max(open, seen) : seen,
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
