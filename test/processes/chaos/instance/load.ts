import { setTimeout as sleep } from 'node:timers/promises';
import { isResilienceError } from 'nest-resilience';
import { FLEET, PLACES, RATES } from '../limits.js';
import { machineNow } from '../entries.js';
import type { Lateness } from './lateness.js';
import { Outage, type Service, world } from './service.js';

type Method =
  'steady' | 'flaky' | 'voted' | 'override' | 'limited' | 'patient' | 'places' | 'halls';

interface Kind {
  readonly method: Method;
  readonly callers: number;
  /** Between the calls of one caller, milliseconds. */
  readonly pause: readonly [number, number];
  /** The ways in which its calls may end, besides success. */
  readonly ends: readonly string[];
  /** How long they may take, with an answer of the store for each of its questions, milliseconds. */
  readonly longest: number;
}

const answer = FLEET.callTimeout;

const KINDS: readonly Kind[] = [
  { method: 'steady', callers: 3, pause: [10, 50], ends: [], longest: 10 + 3 * answer },
  {
    method: 'flaky',
    callers: 4,
    pause: [5, 40],
    ends: ['OUTAGE', 'CIRCUIT_OPEN'],
    longest: 60 + answer,
  },
  {
    method: 'voted',
    callers: 3,
    pause: [5, 40],
    ends: ['OUTAGE', 'CIRCUIT_OPEN'],
    longest: 60 + answer,
  },
  { method: 'override', callers: 1, pause: [20, 60], ends: ['CIRCUIT_OPEN'], longest: 10 + answer },
  { method: 'limited', callers: 2, pause: [5, 25], ends: ['RATE_LIMITED'], longest: answer },
  {
    method: 'patient',
    callers: 3,
    pause: [5, 40],
    ends: ['RATE_LIMITED'],
    longest: answer + RATES.patient.maxWait,
  },
  {
    method: 'places',
    callers: 4,
    pause: [5, 40],
    ends: ['BULKHEAD_FULL'],
    // A waiting call needs an answer of its own, and one for those before it.
    longest: PLACES.places.hold[1] + PLACES.places.maxWait + 2 * answer,
  },
  {
    method: 'halls',
    callers: 2,
    pause: [100, 300],
    ends: ['BULKHEAD_FULL'],
    longest: PLACES.halls.hold[1] + answer,
  },
];

/** The time of a turn of the event loop and a few timers on a busy machine, milliseconds. */
const SLACK = 250;

/** Calls all methods again and again. */
export class Load {
  private ending = false;
  private readonly callers: Promise<void>[];
  private made: Record<string, number> = {};
  private answered: Record<string, number> = {};
  private over = 0;
  pending = 0;

  constructor(
    private readonly service: Service,
    private readonly lateness: Lateness,
  ) {
    this.callers = KINDS.flatMap((kind) =>
      Array.from({ length: kind.callers }, () => this.call(kind)),
    );
  }

  /** The work since the last report. */
  tell(): void {
    const { made, answered, over } = this;
    [this.made, this.answered, this.over] = [{}, {}, 0];
    world.ledger.write({ type: 'calls', made, answered, overMs: Math.round(over) });
  }

  async end(): Promise<void> {
    this.ending = true;
    world.ending.abort();
    await Promise.all(this.callers);
  }

  private async call(kind: Kind): Promise<void> {
    const { method, pause, ends, longest } = kind;
    while (!this.ending) {
      await sleep(world.dice.between(...pause), undefined, { signal: world.ending.signal }).catch(
        () => {},
      );
      const began = machineNow();
      const lateBefore = this.lateness.sum();
      this.pending += 1;
      const end = await this.service[method]().then(() => 'OK', codeOf);
      this.pending -= 1;
      this.made[method] = (this.made[method] ?? 0) + 1;
      if (end === 'OK') this.answered[method] = (this.answered[method] ?? 0) + 1;
      else if (!ends.includes(end)) world.ledger.wrong(`${method}() ended with ${end}`);
      const late = this.lateness.sum() - lateBefore;
      const over = machineNow() - began - longest - late;
      this.over = Math.max(this.over, over);
      if (over > SLACK) {
        world.ledger.wrong(`${method}() took ${Math.round(over)} ms longer than it may`);
      }
    }
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Outage) return 'OUTAGE';
  return isResilienceError(error) ? error.code : String(error);
}
