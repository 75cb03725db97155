import { ManualClock } from '../../dist/esm/testing/index.js';
import { byKey, start } from './application.mjs';
import { memory } from './memory.mjs';

const MANY = 100_000;
/** So many that the weight of code compiled meanwhile does not matter. */
const SEVERAL = 5_000;
const SOME = 1_000;
const FEW = 100;

/** Weights in bytes per object. */
export async function weights() {
  return {
    unusedBreaker: await breakers(SOME, async () => {}),
    usedBreaker: await breakers(SOME, calls(1, 1)),
    lightlyUsedBreaker: await breakers(SOME, calls(10, 5_000)),
    busyBreaker: await breakers(FEW, calls(100_000, 60_000)),
    usedCommand: await commands(),
    manyKeysMB: (await keys(MANY)) / 1e6,
  };
}

/** @returns a function that uses each breaker for `count` calls, spread over `overMs` milliseconds */
function calls(count, overMs) {
  const rounds = Math.min(count, 600);
  return async (all, clock) => {
    for (let round = 0; round < rounds; round++) {
      for (const breaker of all) use(breaker, count / rounds, round, clock);
      await clock.advance(overMs / rounds);
    }
  };
}

/** Latencies from 1 to 300 ms, most of them short; one call in fifty fails. */
function use(breaker, count, round, clock) {
  for (let call = 0; call < count; call++) {
    const permit = breaker.tryAcquire();
    clock.late = 1.25 + 300 * (((round * 7 + call * 13) % 100) / 100) ** 4;
    if ((call + round) % 50 === 49) permit.failure();
    else permit.success();
    clock.late = 0;
  }
}

/** A clock that lets calls take time without any real waiting. */
class BenchClock extends ManualClock {
  late = 0;

  now() {
    return super.now() + this.late;
  }
}

/** Breakers by key, including their entries in the registry. */
async function breakers(count, used) {
  const clock = new BenchClock();
  const { service, registry, close } = await start({ clock });
  const command = byKey(service, count + 1);
  await command.execute('first');
  const part = keyedOf(registry);
  const before = await memory();
  const all = Array.from({ length: count }, (_, key) => part.for(`key-${key}`));
  await used(all, clock);
  const bytes = ((await memory()) - before) / all.length;
  await close();
  return bytes;
}

/** The breakers of a name; only calls create them. */
function keyedOf(registry) {
  const [part] = registry.store.ofKind('circuitBreaker');
  return part;
}

async function commands() {
  const { service, close } = await start();
  const make = async (name) => {
    const command = service.command(name, { run: async () => 'ok', circuitBreaker: {} });
    await command.execute();
    return command;
  };
  for (let at = 0; at < SOME; at++) await make(`earlier-${at}`);
  const before = await memory();
  const all = [];
  for (let at = 0; at < SEVERAL; at++) all.push(await make(`command-${at}`));
  const bytes = ((await memory()) - before) / all.length;
  await close();
  return bytes;
}

/** The weight of `count` keys together, each used once. */
async function keys(count) {
  const { service, registry, close } = await start();
  const command = byKey(service, count + 1);
  await command.execute('first');
  const before = await memory();
  for (let key = 0; key < count; key++) await command.execute(`key-${key}`);
  const bytes = (await memory()) - before;
  if (registry.names().length !== count + 1) throw new Error('keys are missing');
  await close();
  return bytes;
}
