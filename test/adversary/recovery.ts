import { CircuitBreakerRegistry } from '../../src/index.js';
import type { Dice } from './dice.js';
import type { SubjectPlan } from './plan.js';
import { OUTAGE } from './behaviour.js';
import { letFinish } from './script.js';
import type { AppInWorld, World } from './world.js';

/** Longer than any circuit stays open, any probe may take, and any `Retry-After` is honoured. */
const LONG_ENOUGH = 70_000;

/** More good calls than any breaker needs. */
const GOOD_CALLS = 8;

/**
 * Everything is well again: each breaker has to close after some good calls of one of its users, whichever that is.
 */
export async function checkRecovery(world: World): Promise<void> {
  const dice = world.dice.fork();
  if (dice.chance(0.5)) await fallIll(world, dice);
  world.mischief.calm = true;
  for (let number = 0; number < world.apps.length; number++) {
    const one = world.apps[number]!;
    if (one.closed) continue;
    const registry = one.app.get(CircuitBreakerRegistry);
    for (const breaker of registry) breaker.clearOverride();
    await world.clock.advance(LONG_ENOUGH);
    for (const { name, state } of [...registry]) {
      if (state !== 'closed') await recover(world, one, number, name, dice);
    }
  }
}

/** Calls enough for most circuits to open. */
async function fallIll(world: World, dice: Dice): Promise<void> {
  world.outage = true;
  for (const subject of world.subjects) {
    for (let call = 0; call < 4; call++) {
      world.callPlainly(subject, dice.int(0, world.apps.length - 1), `k${call % 2}`, dice);
    }
  }
  await letFinish(world);
  world.outage = false;
}

/** Fallbacks with a limit have to answer when none runs. */
export async function checkFallbacks(world: World): Promise<void> {
  const dice = world.dice.fork();
  world.mischief.calm = false;
  world.outage = true;
  for (const subject of world.subjects) {
    const { label, fallback, order, calls, parent, returns } = subject;
    const plain = order === undefined && calls.length === 0 && parent === undefined;
    if (fallback !== 'function' || !plain || returns !== 'promise') continue;
    const record = world.callPlainly(subject, 0, 'k0', dice);
    await letFinish(world);
    const { error } = record.outcome ?? {};
    if (error instanceof Error && error.message === OUTAGE)
      world.fail(`fallback: ${label} has none any more`);
  }
  world.outage = false;
  world.mischief.calm = true;
}

async function recover(
  world: World,
  { app }: AppInWorld,
  number: number,
  name: string,
  dice: Dice,
): Promise<void> {
  const registry = app.get(CircuitBreakerRegistry);
  const plain = name.replace(/\[.*\]$/, '');
  // Parts that only fallbacks use are idle while everything works.
  const spare = world.subjects.some((each) => each.spare.circuitBreaker?.name === plain);
  if (/\.spare\d/.test(name) || (spare && usersOf(world, name).length === 0)) return;
  const users = usersOf(world, name).filter((user) => {
    return !meetsItself(world, user) && !exceedsLimit(world, user);
  });
  if (users.length === 0 && usersOf(world, name).length > 0) return;
  if (users.length === 0) return world.fail(`breaker ${name}: nobody uses it`);
  const user = dice.pick(users);
  const key = /\[(.*)\]$/.exec(name)?.[1] ?? 'k0';
  for (let call = 0; call < GOOD_CALLS; call++) {
    if (!registry.has(name) || registry.get(name).state === 'closed') return;
    world.callPlainly(user, number, key, dice);
    await letFinish(world);
    await world.clock.advance(LONG_ENOUGH);
  }
  if (!registry.has(name) || registry.get(name).state === 'closed') return;
  const { state } = registry.get(name);
  world.fail(`stuck: breaker ${name} is ${state} after good calls of ${user.label} (${user.kind})`);
}

/** Whether a call may wait for the place that it holds itself: then it is not a good call. */
function meetsItself(world: World, subject: SubjectPlan, held: readonly string[] = []): boolean {
  const { policies, calls, parent } = subject;
  const { name, reentrant } = policies.bulkhead ?? {};
  if (name !== undefined && !reentrant && held.includes(name)) return true;
  const inside = name === undefined ? held : [...held, name];
  const below = parent === undefined ? calls : [...calls, parent];
  return below.some((index) => meetsItself(world, world.subjects[index]!, inside));
}

/** Whether a call and those inside it together exceed a limit: then it is not a good call. */
function exceedsLimit(world: World, subject: SubjectPlan): boolean {
  const left = new Map<string, number>();
  const enter = ({ label, policies, calls, parent }: SubjectPlan): boolean => {
    const { rateLimit } = policies;
    if (rateLimit !== undefined) {
      const { name = label, burst = 1, cost = 1 } = rateLimit;
      const rest = (left.get(name) ?? burst) - (typeof cost === 'number' ? cost : burst);
      left.set(name, rest);
      if (rest < 0) return true;
    }
    const below = parent === undefined ? calls : [...calls, parent];
    return below.some((index) => enter(world.subjects[index]!));
  };
  return enter(subject);
}

function usersOf(world: World, name: string): SubjectPlan[] {
  const plain = name.replace(/\[.*\]$/, '');
  return world.subjects.filter(({ index, label, kind, policies: { circuitBreaker } }) => {
    if (circuitBreaker === undefined) return false;
    const own = kind === 'method' ? [`${label}.m`, `P${index}`] : [label];
    return circuitBreaker.name === undefined ? own.includes(plain) : circuitBreaker.name === plain;
  });
}
