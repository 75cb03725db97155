import { setTimeout as sleep } from 'node:timers/promises';
import { machineNow } from './entries.js';
import type { Fleet, Look } from './fleet.js';
import { OPEN_FOR, TWO_POLLS } from './limits.js';

/** Two polls, an open time that has just begun, a probe, and a busy machine, milliseconds. */
export const CONVERGES_WITHIN = TWO_POLLS + OPEN_FOR + 700;

/** The operator who holds a circuit open by the last decision. If that is not certain, all instances must say the same. */
export interface Held {
  readonly by: string | undefined;
  readonly certain: boolean;
}

/** The facts that instances must agree on. */
export interface Agreement {
  /** Whether the dependency fails, for all instances. */
  readonly fails: boolean;
  readonly held: Held;
}

/** A process without a processor for this long may have considered the store away: the wait starts again. Milliseconds. */
const STALL = 50;

/** After this, nothing excuses a missing agreement. Milliseconds. */
const PATIENCE = 30_000;

/**
 * Waits until all instances agree.
 *
 * @returns how long it took from when all processes could run, or what they said last
 */
export async function converge(fleet: Fleet, expected: Agreement): Promise<number | string> {
  const began = machineNow();
  const late = new Map<string, number>();
  let since = began;
  for (;;) {
    const looks = await fleet.looks();
    for (const [at, look] of looks.entries()) {
      const { id } = fleet.instances[at]!;
      const lateMs = look?.lateMs ?? Infinity;
      if (lateMs > (late.get(id) ?? lateMs) + STALL) since = machineNow();
      if (look !== undefined) late.set(id, lateMs);
    }
    const now = machineNow();
    if (agree(looks, expected)) return now - since;
    if (now - since > CONVERGES_WITHIN || now - began > PATIENCE) {
      return looks.map(describe).join(' | ');
    }
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
