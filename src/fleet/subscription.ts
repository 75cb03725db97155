import { outsideOfCalls } from '../common/async-context.js';
import { quietly } from '../common/quietly.js';
import { swallow } from '../common/outcomes/look.js';
import type { ResilienceStore, StoreMessage } from './store.js';

/** Listens to a store, which may be away when the application starts. */
export class Subscription {
  private asked = false;
  private closed = false;
  private end: (() => Promise<void>) | undefined = undefined;

  constructor(
    private readonly store: ResilienceStore,
    private readonly hear: (message: StoreMessage) => void,
    /** Called when an available store has refused. */
    private readonly refused: (error: unknown) => void,
  ) {}

  /** Subscribes, unless it has; called repeatedly, since it may fail. @param there whether the store has just answered */
  ensure(there = false): void {
    if (this.asked || this.closed) return;
    this.asked = true;
    outsideOfCalls(() => this.subscribe()).then(
      (end) => {
        this.end = end;
        if (this.closed) this.unsubscribe();
      },
      (error: unknown) => {
        this.asked = false;
        if (there && !this.closed) this.refused(error);
      },
    );
  }

  close(): void {
    this.closed = true;
    this.unsubscribe();
  }

  /** A store may throw, although it should not. */
  private async subscribe(): Promise<() => Promise<void>> {
    return this.store.subscribe((message) => {
      if (!this.closed) quietly(() => this.hear(message));
    });
  }

  private unsubscribe(): void {
    const { end } = this;
    this.end = undefined;
    quietly(() => swallow(end?.()));
  }
}
