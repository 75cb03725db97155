import type { INestApplicationContext } from '@nestjs/common';
import { BulkheadRegistry, type BulkheadSnapshot } from '../../src/index.js';
import { type Deferred, Visits, deferred, outcome } from './wait.js';

/** Work that the test ends, call by call. */
export class Works {
  readonly all: Deferred<string>[] = [];
  private readonly visits = new Visits();

  next(): Promise<string> {
    const work = deferred<string>();
    this.all.push(work);
    this.visits.visit();
    return work.promise;
  }

  get count(): number {
    return this.visits.count;
  }

  reached(count: number): Promise<void> {
    return this.visits.reached(count);
  }

  end(index: number): void {
    this.all[index]!.resolve(`work ${index}`);
  }
}

/** The numbers of a bulkhead. */
export function bulkhead(app: INestApplicationContext, name: string): BulkheadSnapshot {
  return app.get(BulkheadRegistry, { strict: false }).get(name);
}

export const counts = (app: INestApplicationContext, name: string): [number, number, number] => {
  const { running, waiting, rejected } = bulkhead(app, name);
  return [running, waiting, rejected];
};

export const full = { code: 'BULKHEAD_FULL', reason: 'full' };

/** Begins a call whose failure is not an unhandled rejection. */
export const begin = <T>(call: Promise<T>): Promise<{ value?: T; error?: unknown }> =>
  outcome(call);
