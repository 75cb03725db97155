import { outsideOfCalls } from '../common/async-context.js';
import type { Clock } from '../common/clock.js';
import type { ResilienceStore } from './store.js';

/** One failure may be a hiccup, of the network or of this process; two in a row are not. */
const FAILURES = 2;

/** The wait after the first failure, milliseconds. It doubles with each one. */
const FIRST_WAIT = 125;

/** Hears of the store's troubles, once for each. */
export interface GuardListener {
  degraded(error: unknown): void;
  recovered(degradedForMs: number): void;
}

/**
 * Between the library and a store: a call takes no longer than its time budget and never rejects, and a store that fails is
 * left alone for a while. So no trouble of the store becomes one of a caller.
 */
export class StoreGuard {
  private failures = 0;
  private degradedAt: number | undefined = undefined;
  private closed = false;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly store: ResilienceStore,
    private readonly clock: Clock,
    private readonly listener: GuardListener,
  ) {}

  get kind(): string {
    return this.store.kind;
  }

  /** Whether calls are made at all. */
  get available(): boolean {
    return this.degradedAt === undefined && !this.closed;
  }

  /** Whether the last call has failed. */
  get troubled(): boolean {
    return this.failures > 0;
  }

  /** How long to wait before the store that has failed is tried again, milliseconds: twice as long after each failure. */
  waitUpTo(longest: number): number {
    return Math.min(longest, FIRST_WAIT * 2 ** Math.min(this.failures - 1, 20));
  }

  /**
   * Makes a call unless the store is away.
   *
   * @param late receives an answer that has come after the time budget
   * @returns `undefined` when there is no answer in time
   */
  ask<T>(
    step: (store: ResilienceStore) => Promise<T>,
    budgetMs: number,
    late?: (answer: T) => void,
  ): Promise<T | undefined> {
    return this.available ? this.make(step, budgetMs, late) : Promise.resolve(undefined);
  }

  /** The same, also while the store is away: a success shows that it is back, which {@link recover} has to say. */
  try<T>(step: (store: ResilienceStore) => Promise<T>, budgetMs: number): Promise<T | undefined> {
    return this.closed ? Promise.resolve(undefined) : this.make(step, budgetMs);
  }

  /** The store is back, and has been read. */
  recover(): void {
    const { degradedAt } = this;
    if (degradedAt === undefined || this.closed) return;
    this.degradedAt = undefined;
    this.listener.recovered(this.clock.now() - degradedAt);
  }

  /** Ends all waits, and makes no further calls. */
  close(): void {
    this.closed = true;
    for (const end of [...this.waiting]) end();
  }

  private make<T>(
    step: (store: ResilienceStore) => Promise<T>,
    budgetMs: number,
    late?: (answer: T) => void,
  ): Promise<T | undefined> {
    return new Promise((resolve) => {
      const end = (answer: T | undefined): void => {
        this.waiting.delete(giveUp);
        timer.cancel();
        resolve(answer);
      };
      const giveUp = (): void => end(undefined);
      const isWaiting = (): boolean => this.waiting.has(giveUp);
      const fail = (error: unknown): void => {
        if (!isWaiting()) return;
        end(undefined);
        this.failed(error);
      };
      this.waiting.add(giveUp);
      const timer = outsideOfCalls(() =>
        this.clock.setTimer(() => fail(new Error(`no answer within ${budgetMs} ms`)), budgetMs),
      );
      timer.unref();
      outsideOfCalls(() => called(step, this.store)).then((answer) => {
        if (!isWaiting()) return this.closed ? undefined : late?.(answer);
        this.failures = 0;
        end(answer);
      }, fail);
    });
  }

  private failed(error: unknown): void {
    this.failures += 1;
    if (this.failures < FAILURES || this.degradedAt !== undefined) return;
    this.degradedAt = this.clock.now();
    this.listener.degraded(error);
  }
}

/** A store may throw, although it should not. */
async function called<T>(
  step: (store: ResilienceStore) => Promise<T>,
  store: ResilienceStore,
): Promise<T> {
  return step(store);
}
