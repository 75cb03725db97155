import { setTimeout as sleep } from 'node:timers/promises';
import { machineNow } from './entries.js';
import type { Fleet, Look } from './fleet.js';
import { OPEN_FOR, TWO_POLLS } from './limits.js';

/** Two polls, an open time that has just begun, a probe, and a busy machine, milliseconds. */
export const CONVERGES_WITHIN = TWO_POLLS + OPEN_FOR + 700;

/** Who holds a circuit open by the last decision. If that is not certain, all must say the same. */
export interface Held {
  readonly by: string | undefined;
  readonly certain: boolean;
}

/** What instances must agree on. */
export interface Agreement {
  /** Whether the dependency fails, for all instances. */
  readonly fails: boolean;
  readonly held: Held;
}

/** Longer than that, nothing excuses them. Milliseconds. */
const PATIENCE = 30_000;

/**
 * Waits until all instances agree. A process that has no processor can do nothing: so long it is not counted.
 *
 * @returns how long it took, or what they said last
 */
export async function converge(fleet: Fleet, expected: Agreement): Promise<number | string> {
  const began = machineNow();
  const first = new Map<string, number>();
  let silent = 0;
  for (;;) {
    const asked = machineNow();
    const looks = await fleet.looks();
    if (looks.includes(undefined)) silent += machineNow() - asked;
    const late = looks.map((look, at) => {
      if (look === undefined) return 0;
      const { id } = fleet.instances[at]!;
      if (!first.has(id)) first.set(id, look.lateMs);
      return look.lateMs - first.get(id)!;
    });
    const passed = machineNow() - began;
    const took = passed - Math.max(silent, ...late);
    if (agree(looks, expected)) return took;
    if (took > CONVERGES_WITHIN || passed > PATIENCE) return looks.map(describe).join(' | ');
    await sleep(30);
  }
}

function agree(looks: readonly (Look | undefined)[], { fails, held }: Agreement): boolean {
  const [first] = looks;
  return looks.every((look) => {
    if (look === undefined || look.degraded) return false;
    const { flaky, voted, steady } = look.states;
    const heldBy = held.certain ? held.by : first?.heldBy;
    const known = [flaky, voted].every((state) => (state === 'closed') === !fails);
    return known && steady === 'closed' && look.heldBy === heldBy;
  });
}

function describe(look: Look | undefined): string {
  if (look === undefined) return 'no answer';
  const { degraded, states, heldBy } = look;
  return `${degraded ? 'degraded, ' : ''}flaky ${states['flaky']}, voted ${states['voted']}, held by ${heldBy}`;
}
