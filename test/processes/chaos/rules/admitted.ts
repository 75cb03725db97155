import type { Entry } from '../entries.js';
import { FLEET, RATES } from '../limits.js';
import type { Rule } from '../book.js';
import { Windows } from './windows.js';
import { WithoutAnswer } from './without-answer.js';

const NAME = 'limited';

/** An answer that takes no longer than this certainly reaches its call, milliseconds. */
const HEARD = 0.6 * FLEET.callTimeout;

/**
 * Calls that really run while nothing is wrong, of all instances together, are within limit and burst in every window. A call
 * runs in the turn of the event loop in which its process hears that it may, and counts from its question on.
 */
export class Admitted implements Rule {
  readonly title = `calls of ${NAME} that run while nothing is wrong`;
  readonly expected = `at most ${RATES[NAME].limit} per second and ${RATES[NAME].burst} at once, in every window`;
  /** Questions by instance that were answered with yes, and whose calls have not run yet. */
  private readonly allowed = new Map<string, number[]>();
  /** Answers by instance that came so late that their calls may have run without them. */
  private readonly late = new Map<string, number>();
  private readonly withoutAnswer = new WithoutAnswer();
  private windows: Windows | undefined;
  private calls = 0;
  private fullest = 0;
  private excused = 0;

  see(entry: Entry): string | undefined {
    this.withoutAnswer.see(entry);
    switch (entry.type) {
      case 'calm':
        this.windows ??= new Windows(RATES[NAME].limit / 1_000, RATES[NAME].burst);
        return;
      case 'trouble':
        if (!entry.begins) return;
        this.windows = undefined;
        this.late.clear();
        return;
      case 'allowed':
        return entry.name === NAME ? this.answered(entry) : undefined;
      case 'begun':
        return entry.name === NAME ? this.begun(entry) : undefined;
      default:
        return;
    }
  }

  get tried(): number {
    return this.calls;
  }

  found(): string {
    const full = Math.round(this.fullest * 100);
    return `${this.calls} calls, the fullest window ${full} % full; ${this.excused} without an answer in time`;
  }

  private answered({ from, at, asked }: Extract<Entry, { type: 'allowed' }>): undefined {
    if (at - asked < HEARD) this.of(from).push(asked);
    else this.late.set(from, this.lateOf(from) + 1);
  }

  private begun({ from, at }: Entry): string | undefined {
    const asked = this.of(from).shift();
    const { windows } = this;
    if (windows === undefined) return;
    if (asked === undefined) {
      this.excused += 1;
      if (this.withoutAnswer.has(from, at)) return;
      if (this.lateOf(from) > 0) return void this.late.set(from, this.lateOf(from) - 1);
      return `${from} runs a call that the store has not allowed`;
    }
    this.calls += 1;
    const breach = windows.add(asked, at);
    this.fullest = Math.max(this.fullest, windows.fullest);
    return breach;
  }

  private lateOf(instance: string): number {
    return this.late.get(instance) ?? 0;
  }

  private of(instance: string): number[] {
    const questions = this.allowed.get(instance) ?? [];
    this.allowed.set(instance, questions);
    return questions;
  }
}
