import { ManualClock } from '../../dist/esm/testing/index.js';
import { start } from './application.mjs';
import { memory } from './memory.mjs';

const KEYS = 1_000_000;
const CAP = 10_000;
const STEP = KEYS / 10;

/** The most that all keys of a breaker, and of a bulkhead, weigh together, with a hundred times more keys than room. */
export async function capped() {
  const key = (each) => each;
  return {
    cappedBreakersMB: await mostOf({ circuitBreaker: { key, maxKeys: CAP } }, 'registry'),
    cappedBulkheadsMB: await mostOf({ bulkhead: { key, maxKeys: CAP } }, 'bulkheads'),
  };
}

/** Uses each key once. Time passes meanwhile, so that breakers of earlier keys become idle and give up their places. */
async function mostOf(policies, registryName) {
  const clock = new ManualClock();
  const { service, close, ...registries } = await start({ clock, logger: false });
  const command = service.command('tenant', { run: async () => 'ok', ...policies });
  await command.execute('first');
  const before = await memory();
  let most = 0;
  for (let at = 1; at <= KEYS; at++) {
    await command.execute(`key-${at}`);
    if (at % (CAP / 10) === 0) await clock.advance(2_000);
    if (at % STEP === 0) most = Math.max(most, (await memory()) - before);
  }
  const names = registries[registryName].names();
  if (names.length > CAP || !names.includes(`tenant[key-${KEYS}]`)) {
    throw new Error(`${names.length} keys, where the last of ${CAP} should be`);
  }
  await close();
  return most / 1e6;
}
