import {
  BulkheadRegistry,
  CircuitBreakerRegistry,
  RateLimitRegistry,
  ResilienceEvents,
} from '../../src/index.js';
import { breathe } from './clock.js';
import { Dice } from './dice.js';
import type { AppInWorld, World } from './world.js';

type Step =
  | 'call'
  | 'burst'
  | 'advance'
  | 'block'
  | 'abort'
  | 'let go'
  | 'operate'
  | 'listen'
  | 'close'
  | 'breathe';

const WEIGHTS: Readonly<Record<Step, number>> = {
  call: 30,
  burst: 14,
  advance: 30,
  block: 4,
  abort: 2,
  'let go': 4,
  operate: 5,
  listen: 2,
  close: 0.15,
  breathe: 10,
};

/** One step of a world, derived from one number. */
export async function step(world: World, number: number): Promise<void> {
  const dice = new Dice(number);
  switch (dice.weighted(WEIGHTS)) {
    case 'call':
      return void world.call(dice.pick(world.subjects), dice);
    case 'burst':
      return burst(world, dice);
    case 'advance':
      return world.clock.advance(span(world, dice));
    case 'block':
      return world.clock.block(span(world, dice) * 3);
    case 'abort':
      return abortShared(world, dice);
    case 'let go':
      return world.letGo(0.5);
    case 'operate':
      return operate(world, dice);
    case 'listen':
      return listen(world, dice);
    case 'close':
      return close(world, dice.pick(world.apps));
    case 'breathe':
      return breathe(1);
  }
}

/** Many calls at once, of one or of all, on one signal or not. */
function burst(world: World, dice: Dice): void {
  const one = dice.pick(world.subjects);
  const shared = dice.chance(0.5) ? dice.pick(world.shared) : undefined;
  const same = dice.chance(0.6);
  for (let left = dice.int(2, 14); left > 0; left--) {
    world.call(same ? one : dice.pick(world.subjects), dice, shared);
  }
}

function span(world: World, dice: Dice): number {
  if (world.long && dice.chance(0.1)) return dice.int(1_000, 3_600_000);
  return dice.chance(0.2) ? dice.int(20, 120) : dice.int(0, 12);
}

/** Later calls with that signal are stopped at once. */
function abortShared(world: World, dice: Dice): void {
  if (dice.chance(0.3)) dice.pick(world.shared).abort(new Error('all of them are gone'));
}

/** Actions of operators. */
export function operate(world: World, dice: Dice): void {
  const { app } = dice.pick(world.apps);
  const registry = app.get(CircuitBreakerRegistry);
  const all = [...registry];
  if (all.length === 0) return;
  const breaker = dice.pick(all);
  const until = new Date(world.clock.wall() + dice.int(1, 200));
  world.mischief.meddled = true;
  switch (dice.int(0, 7)) {
    case 0:
      return breaker.reset();
    case 1:
      return breaker.forceOpen({ until });
    case 2:
      return breaker.disable({ until });
    case 3:
      return breaker.observeOnly(dice.chance(0.5) ? { until } : {});
    case 4:
      return void breaker.execute(async () => 'by hand').catch(() => {});
    case 5:
      return reconfigure(registry, breaker.name, dice);
    case 6:
      return void breaker.onStateChange(world.mischief.listener('a listener of a breaker'));
    default:
      return breaker.clearOverride();
  }
}

function reconfigure(registry: CircuitBreakerRegistry, name: string, dice: Dice): void {
  try {
    registry.reconfigure(
      name,
      dice.pick([{ openFor: dice.int(5, 100) }, { maxCallDuration: dice.int(100, 500) }]),
    );
  } catch {
    // of one key alone, or slower calls than any may be
  }
}

function listen(world: World, dice: Dice): void {
  const { app } = dice.pick(world.apps);
  if (!world.listens) return;
  const stop = app.get(ResilienceEvents).subscribe(world.mischief.listener('one more listener'));
  world.after(dice.int(0, 50), stop);
}

async function close(world: World, one: AppInWorld): Promise<void> {
  if (one.closed) return;
  one.closed = true;
  await one.app.close();
  for (const { name, waiting } of one.app.get(BulkheadRegistry)) {
    if (waiting > 0)
      world.fail(`close: bulkhead ${name} has ${waiting} waiting when all is closed`);
  }
  for (const { name, waiting } of one.app.get(RateLimitRegistry)) {
    if (waiting > 0) world.fail(`close: limit ${name} has ${waiting} waiting when all is closed`);
  }
}

/** Everything that has begun ends, in small steps, to check the leftovers at once. */
export async function letFinish(world: World, small = false): Promise<void> {
  for (let round = 0; round < 80; round++) {
    world.letGo();
    await world.clock.advance(round < 40 ? (small ? 2 : 25) : 400);
    if (world.quiet) break;
  }
  await breathe(3);
}

export async function closeAll(world: World): Promise<void> {
  for (const one of world.apps) await close(world, one);
}
