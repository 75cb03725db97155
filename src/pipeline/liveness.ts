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

  /** Of the work that this one is part of. */
  private outer: Liveness | undefined;
  private ended = false;

  constructor() {
    this.outer = watchers.getStore()?.running;
    this.outer?.skipEnded();
  }

  /** This one, or the next one around it that has not ended. */
  get running(): Liveness | undefined {
    if (!this.ended) return this;
    let { outer } = this;
    while (outer?.ended) ({ outer } = outer);
    return outer;
  }

  /** So that no chain of them grows where work begins work without end. */
  private skipEnded(): void {
    this.outer = this.outer?.running;
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

  /** Reports the source of an answer that a part of the work got. */
  tell(source: AnswerSource, ageMs: number | undefined): void {
    this.hear(source, ageMs);
    for (let each = this.outer?.running; each !== undefined; each = each.outer?.running) {
      each.hear(source, ageMs);
    }
  }

  private hear(source: AnswerSource, ageMs: number | undefined): void {
    if (this.source !== 'stale') this.source = source;
    if (ageMs !== undefined) this.ageMs = Math.max(this.ageMs ?? 0, ageMs);
  }
}

/** One for all copies of the package in this process. */
const watchers = shared('liveness', () => new AsyncLocalStorage<Liveness>());

/** Tells whoever watches the code that runs now that it was answered by something that is not live. */
export function tellNotLive(source: AnswerSource, ageMs?: number): void {
  watchers.getStore()?.running?.tell(source, ageMs);
}
