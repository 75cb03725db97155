import { byKey, start } from './application.mjs';

const KEYS = 100_000;
/** Lookups per round: so few that some rounds run undisturbed even on a busy machine. */
const LOOKUPS = 500;

/** The duration of `registry.get()` among 100,000 breakers by key, nanoseconds. */
export async function lookup() {
  const { service, registry, close } = await start();
  const command = byKey(service, KEYS);
  for (let key = 0; key < KEYS; key++) await command.execute(`key-${key}`);
  let best = Infinity;
  for (let round = 0; round < 200; round++) {
    const names = Array.from(
      { length: LOOKUPS },
      (_, at) => `tenant[key-${((round * LOOKUPS + at) * 7_919) % KEYS}]`,
    );
    const before = performance.now();
    for (const name of names) registry.get(name);
    best = Math.min(best, ((performance.now() - before) * 1e6) / LOOKUPS);
  }
  await close();
  return { lookupNs: best };
}
