import { AsyncLocalStorage } from 'node:async_hooks';
import { shared } from '../common/brand.js';
import type { AnswerSource } from './call-report.js';

/**
 * Whether what some work answers with is live: not when a protected call that it made was answered by a fallback or
 * with a former result, whatever became of that answer on its way. Only who keeps results watches, and pays for an
 * async context; calls look for who watches only when their own answer is not live.
 */
export class Liveness {
  source: AnswerSource = 'live';
  /** Of the oldest stale answer, milliseconds. */
  ageMs: number | undefined = undefined;

  /** Of the work that this one is part of; none that has ended, so that no chain of them grows. */
  private readonly outer: Liveness | undefined;
  private ended = false;

  constructor() {
    this.outer = watchers.getStore()?.running;
  }

  /** This one, or the next one around it that has not ended. */
  get running(): Liveness | undefined {
    return this.ended ? this.outer?.running : this;
  }

  /** Nobody watches any more: what goes on in its context is told to whoever is around it. */
  end(): void {
    this.ended = true;
  }

  get live(): boolean {
    return this.source === 'live';
  }

  /** Runs the work that is watched. */
  watch<T>(work: () => T): T {
    return watchers.run(this, work);
  }

  /** What a part of the work was answered with. */
  tell(source: AnswerSource, ageMs: number | undefined): void {
    if (this.source !== 'stale') this.source = source;
    if (ageMs !== undefined) this.ageMs = Math.max(this.ageMs ?? 0, ageMs);
    this.outer?.tell(source, ageMs);
  }
}

/** One for all copies of the package in this process. */
const watchers = shared('liveness', () => new AsyncLocalStorage<Liveness>());

/** Tells whoever watches the code that runs now that it was answered by something that is not live. */
export function tellNotLive(source: AnswerSource, ageMs?: number): void {
  watchers.getStore()?.running?.tell(source, ageMs);
}
