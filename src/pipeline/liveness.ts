import { AsyncLocalStorage } from 'node:async_hooks';
import { shared } from '../common/brand.js';
import type { AnswerSource } from '../telemetry/call-events.js';

/**
 * Whether the result of some work is live: it is not if a protected call made by the work was answered by a fallback or
 * with an earlier result, whatever the work did with that answer. Only calls that keep results watch, and pay for an async
 * context; only calls whose own answer is not live look for a watcher.
 */
export class Liveness {
  source: AnswerSource = 'live';
  /** The age of the oldest stale answer, milliseconds. */
  ageMs: number | undefined = undefined;

  /** The watcher of the surrounding work. */
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

  /** Keeps the chain from growing where work starts further work endlessly. */
  private skipEnded(): void {
    this.outer = this.outer?.running;
  }

  /** Stops watching: answers to work that goes on in its context are reported to the surrounding watcher. */
  end(): void {
    this.ended = true;
  }

  get live(): boolean {
    return this.source === 'live';
  }

  /** Runs work and watches it. */
  watch<T>(work: () => T): T {
    return watchers.run(this, work);
  }

  /** Reports an answer within the work that is not live, also to the surrounding watchers. */
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

/** Shared by all copies of the package in this process. */
const watchers = shared('liveness', () => new AsyncLocalStorage<Liveness>());

/** Reports to the watcher of the running code, if there is one, that a call was answered by something that is not live. */
export function tellNotLive(source: AnswerSource, ageMs?: number): void {
  watchers.getStore()?.running?.tell(source, ageMs);
}
