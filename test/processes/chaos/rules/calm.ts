import type { Entry } from '../entries.js';
import { PLACES, PROBES } from '../limits.js';
import type { Rule } from '../book.js';
import { WithoutAnswer } from './without-answer.js';

const LIMITS: Readonly<Record<string, number>> = {
  places: PLACES.places.maxConcurrent,
  halls: PLACES.halls.maxConcurrent,
  flaky: PROBES,
};

/**
 * While nothing is wrong, work that really runs is within the limits of the fleet: all work that begins then has a lease.
 * Answers may come late on a busy machine; work that the instance begins then is not counted.
 */
export class Calm implements Rule {
  readonly title = 'work that runs while nothing is wrong';
  readonly expected = `${Object.entries(LIMITS)
    .map(([name, limit]) => `${name} ${limit}`)
    .join(', ')} at a time in all instances together`;
  private readonly running = new Map<string, Set<string>>();
  private readonly most = new Map<string, number>();
  private readonly withoutAnswer = new WithoutAnswer();
  tried = 0;
  private calm = false;
  private excused = 0;

  see(entry: Entry): string | undefined {
    this.withoutAnswer.see(entry);
    switch (entry.type) {
      case 'calm':
        this.calm = true;
        return;
      case 'trouble':
        if (entry.begins) this.calm = false;
        return;
      case 'killed':
        for (const running of this.running.values()) {
          for (const key of running) if (key.startsWith(`${entry.instance} `)) running.delete(key);
        }
        return;
      case 'begun':
        return this.begun(entry);
      case 'ended':
        this.running.get(entry.name)?.delete(`${entry.from} ${entry.id}`);
        return;
      default:
        return;
    }
  }

  found(): string {
    const most = [...this.most].map(([name, count]) => `${name} ${count}`).join(', ');
    return `${most || 'nothing'}; ${this.excused} without an answer in time`;
  }

  private begun({ from, at, name, id }: Extract<Entry, { type: 'begun' }>): string | undefined {
    const limit = LIMITS[name];
    if (limit === undefined || !this.calm) return;
    if (this.withoutAnswer.has(from, at)) {
      this.excused += 1;
      return;
    }
    this.tried += 1;
    const running = this.running.get(name) ?? new Set();
    this.running.set(name, running.add(`${from} ${id}`));
    this.most.set(name, Math.max(this.most.get(name) ?? 0, running.size));
    if (running.size > limit) return `${name}: ${[...running].join(', ')} run at a time`;
    return;
  }
}
