import { setTimeout as sleep } from 'node:timers/promises';
import { machineNow } from './entries.js';
import { LEASE, PLACES } from './limits.js';
import type { LeaseLimit } from './rules/lease-limit.js';
import type { Place } from './troubles.js';
import { until } from '../../../sample/launcher/src/net.js';

/** Allowance for asking again, for an entry that is read late, and for a busy machine, milliseconds. */
const SLACK = 3_000;

/** While Redis is well, an instance that holds places dies. The others get the places when its leases end. */
export async function placesComeBack(
  { fleet, book, dice, report }: Place,
  halls: LeaseLimit,
): Promise<void> {
  const all = PLACES.halls.maxConcurrent;
  report.progress('all places are held; then an instance that holds some dies');
  await until('all places are held', () => halls.holders(machineNow()).length === all);
  const holders = halls.holders(machineNow());
  const holder = dice.pick(holders);
  const at = fleet.instances.findIndex(({ id }) => id === holder);
  const instance = fleet.instances[at]!;
  await instance.kill();
  const diedAt = machineNow();
  book.note({ type: 'killed', instance: instance.id });
  const lost = holders.filter((id) => id === instance.id).length;
  await fleet.replace(at);
  const others = (): number =>
    halls.holders(machineNow()).filter((id) => id !== instance.id).length;
  while (others() < all && machineNow() < diedAt + LEASE + SLACK) await sleep(20);
  const took = (machineNow() - diedAt) / 1_000;
  report.check(
    'an instance that holds places dies',
    `the others have all ${all} again within its lease (${LEASE / 1_000} s)`,
    others() === all,
    `${lost} were held, ${others()} of ${all} are held by others ${took.toFixed(1)} s later`,
  );
  book.note({ type: 'calm' });
}
