import type { FallbackContext } from '../../src/index.js';
import { Dice } from './dice.js';
import { hostileError, oddThenable } from './hostile.js';
import { type CallRecord, answerOf } from './ledger.js';
import type { World } from './world.js';

type Run =
  'now' | 'later' | 'hang' | 'throw' | 'reject' | 'fail later' | 'odd' | 'nest' | 'stopped';

export const OUTAGE = 'everything is down';

const WEIGHTS: Readonly<Record<Run, number>> = {
  now: 30,
  later: 18,
  hang: 4,
  throw: 6,
  reject: 12,
  'fail later': 10,
  odd: 4,
  nest: 20,
  stopped: 2,
};

function diceOf({ seed, runs }: CallRecord): Dice {
  return new Dice(Math.imul(seed ^ 0x5bd1e995, 2 * runs + 1));
}

/** The behaviour of a protected function: the same for the same call and run. */
export function perform(
  world: World,
  record: CallRecord,
  signal: AbortSignal | undefined,
  superCall?: () => Promise<unknown>,
): unknown {
  record.runs += 1;
  world.countRun(record.subject);
  const dice = diceOf(record);
  // The caller's signal may have been aborted: that is a reason to end with.
  if (signal !== undefined && !record.signals.includes(signal)) record.signals.push(signal);
  const run = dice.weighted(WEIGHTS);
  if (superCall !== undefined && (run === 'nest' || run === 'now' || world.calm)) {
    return throughSuper(record, superCall);
  }
  const nests = record.subject.calls.length > 0 && record.depth < 4;
  if (world.outage && !nests) return record.throw(new Error(OUTAGE));
  if (nests && (run === 'nest' || world.calm || world.outage)) {
    return nest(world, record, signal, dice);
  }
  if (world.calm || run === 'nest') return good(record);
  switch (run) {
    case 'throw':
      return record.throw(hostileError(dice, world.tame));
    case 'reject':
      return fail(world, record, dice);
    case 'odd':
      return world.tame ? good(record) : odd(record, dice);
    case 'later':
      return later(world, record, dice, signal, false);
    case 'fail later':
      return later(world, record, dice, signal, true);
    case 'hang':
      return hang(world, record, dice, signal);
    case 'stopped':
      world.stop(record);
      return good(record);
    default:
      return dice.chance(0.5) ? Promise.resolve(good(record, dice)) : good(record, dice);
  }
}

function good(record: CallRecord, dice?: Dice): object {
  const answer = answerOf(record, dice?.chance(0.1));
  record.results.add(answer);
  return answer;
}

async function fail(world: World, record: CallRecord, dice: Dice): Promise<never> {
  return record.throw(hostileError(dice, world.tame));
}

function odd(record: CallRecord, dice: Dice): unknown {
  const { thenable, throws } = oddThenable(dice, good(record));
  if (throws !== undefined) record.errors.push(throws);
  return thenable;
}

async function throughSuper(
  record: CallRecord,
  superCall: () => Promise<unknown>,
): Promise<unknown> {
  try {
    await superCall();
  } catch (error) {
    record.throw(error);
  }
  return good(record);
}

/** Waits, and obeys its signal or not. */
async function later(
  world: World,
  record: CallRecord,
  dice: Dice,
  signal: AbortSignal | undefined,
  fails: boolean,
): Promise<unknown> {
  const hears = dice.chance(0.5);
  const ms = dice.chance(0.2) ? dice.int(50, 400) : dice.int(0, 40);
  await world.work(ms, hears ? signal : undefined).catch((error: unknown) => record.throw(error));
  return fails ? record.throw(hostileError(dice, world.tame)) : good(record, dice);
}

/** Until everything may finish. */
async function hang(
  world: World,
  record: CallRecord,
  dice: Dice,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const hears = dice.chance(0.3);
  await world.hang(hears ? signal : undefined).catch((error: unknown) => record.throw(error));
  return dice.chance(0.5) ? record.throw(hostileError(dice, world.tame)) : good(record);
}

async function nest(
  world: World,
  record: CallRecord,
  signal: AbortSignal | undefined,
  dice: Dice,
): Promise<unknown> {
  const how =
    world.calm || world.outage
      ? 'one'
      : dice.pick(['one', 'one', 'some', 'swallowed', 'left'] as const);
  const callee = dice.pick(record.subject.calls);
  const key = dice.chance(0.7) ? record.key : 'k0';
  const call = (): Promise<unknown> =>
    world.callInside(record, callee, key, dice.chance(0.3) ? signal : undefined, dice.int(0, 1e9));
  try {
    if (how === 'one') await call();
    if (how === 'some') await Promise.all([call(), call()]);
    if (how === 'swallowed') await call().catch(() => {});
    if (how === 'left') void call().catch(() => {});
  } catch (error) {
    record.throw(error);
  }
  return good(record);
}

/** The behaviour of a fallback. */
export function fallBack(world: World, record: CallRecord, context: FallbackContext): unknown {
  if (world.calm || world.outage) return good(record);
  const dice = new Dice(Math.imul(record.seed ^ 0x27d4eb2f, record.runs + 3));
  switch (dice.int(0, 9)) {
    case 0:
      return record.throw(hostileError(dice, world.tame));
    case 1:
      return record.throw(context.error);
    case 2:
      return record.throw(causeOf(context.error));
    case 3:
      return fail(world, record, dice);
    case 4:
      return later(world, record, dice, undefined, dice.chance(0.3));
    case 5:
      return odd(record, dice);
    case 6:
      return record.subject.calls.length === 0 || record.depth > 3
        ? good(record)
        : nest(world, record, undefined, dice);
    default:
      return good(record);
  }
}

function causeOf(error: unknown): unknown {
  try {
    return (error as { cause?: unknown }).cause;
  } catch {
    return error;
  }
}
