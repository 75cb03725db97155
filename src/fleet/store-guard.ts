import { outsideOfCalls } from '../common/async-context.js';
import type { Clock } from '../common/clock.js';
import { quietly } from '../common/quietly.js';
import type { CheckedStore } from './checked-store.js';
import type { ResilienceStore } from './store.js';
import { TimeBudget } from './time-budget.js';

/** One failure may be a hiccup, of the network or of this process; two in a row are not. Simultaneous failures count once. */
const FAILURES = 2;

/** The wait after the first failure, milliseconds. It doubles with each one. */
const FIRST_WAIT = 125;

/** A store that fails again within this time after its return has a relapse, milliseconds. */
const RELAPSE = 60_000;

/** Hears of the store's troubles, once each. */
export interface GuardListener {
  degraded(error: unknown): void;
  recovered(degradedForMs: number): void;
}

/** The verdict of a call on the store. */
interface Judge {
  succeeded(): void;
  failed(error: unknown): void;
}

const NO_JUDGE: Judge = { succeeded: () => {}, failed: () => {} };

/**
 * Between the library and a store: a call takes no longer than its time budget and never rejects, and a store that fails is
 * left alone for a while. So the store's troubles never become a caller's.
 */
export class StoreGuard {
  /** In a row. */
  private failures = 0;
  /** All failures that have been counted so far. */
  private incidents = 0;
  private degradedAt: number | undefined = undefined;
  private recoveredAt = -Infinity;
  /** In a row. */
  private relapses = 0;
  private closed = false;
  private readonly waiting = new Set<() => void>();
  private readonly judge: Judge = {
    succeeded: () => this.succeeded(),
    failed: (error) => this.failed(error),
  };
  private readonly judgeOfFailures: Judge = { ...this.judge, succeeded: () => {} };

  constructor(
    private readonly store: CheckedStore,
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

  /** Whether it is away, or the last call has failed. */
  get troubled(): boolean {
    return this.failures > 0;
  }

  /**
   * How long to wait before the store that has failed is tried again, milliseconds: twice as long after each failure. After each
   * relapse it begins twice as high, and ends twice as high: a store that takes heartbeats and fails calls must not flap.
   *
   * @param longest without a relapse; @param longestOfAll with any number of them
   */
  waitUpTo(longest: number, longestOfAll: number): number {
    const { failures } = this;
    const relapses = this.available ? 0 : this.relapses;
    const wait = FIRST_WAIT * 2 ** Math.min(failures - 1 + relapses, 20);
    return Math.min(longest * 2 ** Math.min(relapses, 20), longestOfAll, wait);
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
    if (!this.available) return Promise.resolve(undefined);
    return this.make(step, budgetMs, this.judge, late);
  }

  /** As {@link ask}, for mere readers: the outcome does not count for or against the store. */
  peek<T>(step: (store: ResilienceStore) => Promise<T>, budgetMs: number): Promise<T | undefined> {
    return this.available ? this.make(step, budgetMs, NO_JUDGE) : Promise.resolve(undefined);
  }

  /** As {@link ask}, also while the store is away. A success alone does not prove that it is well: see {@link recover}. */
  try<T>(step: (store: ResilienceStore) => Promise<T>, budgetMs: number): Promise<T | undefined> {
    return this.closed
      ? Promise.resolve(undefined)
      : this.make(step, budgetMs, this.judgeOfFailures);
  }

  /** The store takes writes, and has been read. A store that only answers questions is still away. */
  recover(): void {
    const { degradedAt } = this;
    this.failures = 0;
    if (degradedAt === undefined || this.closed) return;
    const now = this.clock.now();
    this.degradedAt = undefined;
    this.recoveredAt = now;
    this.listener.recovered(now - degradedAt);
  }

  /** Ends all waits, and makes no further calls. */
  close(): void {
    this.closed = true;
    for (const end of [...this.waiting]) end();
  }

  private make<T>(
    step: (store: ResilienceStore) => Promise<T>,
    budgetMs: number,
    judge: Judge,
    late?: (answer: T) => void,
  ): Promise<T | undefined> {
    const { incidents } = this;
    return new Promise((resolve) => {
      const end = (answer: T | undefined): void => {
        this.waiting.delete(giveUp);
        budget.end();
        resolve(answer);
      };
      const giveUp = (): void => end(undefined);
      const isWaiting = (): boolean => this.waiting.has(giveUp);
      const fail = (error: unknown): void => {
        if (!isWaiting()) return;
        end(undefined);
        if (incidents === this.incidents) judge.failed(error);
      };
      this.waiting.add(giveUp);
      const budget = new TimeBudget(this.clock, budgetMs, () =>
        fail(new Error(`no answer within ${budgetMs} ms`)),
      );
      outsideOfCalls(() => called(step, this.store)).then((answer) => {
        if (!isWaiting()) return this.closed ? undefined : quietly(() => late?.(answer));
        judge.succeeded();
        end(answer);
      }, fail);
    });
  }

  private succeeded(): void {
    if (this.degradedAt === undefined) this.failures = 0;
  }

  private failed(error: unknown): void {
    this.incidents += 1;
    this.failures += 1;
    if (this.failures < FAILURES || this.degradedAt !== undefined) return;
    const now = this.clock.now();
    this.degradedAt = now;
    this.relapses = now - this.recoveredAt < RELAPSE ? this.relapses + 1 : 0;
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
