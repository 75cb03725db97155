import { CircuitBreaker } from '../../src/index.js';
import type { Booted } from './boot.js';

/** Shared by all methods of a test: its requests are the calls to which policies were applied. */
export const Policed = (): MethodDecorator & ReturnType<typeof CircuitBreaker> =>
  CircuitBreaker('policed');

export function policedCalls({ registry }: Pick<Booted, 'registry'>): number {
  return registry.has('policed') ? registry.get('policed').counts.requests : 0;
}

export class Answering {
  @Policed()
  async m(): Promise<number> {
    return 1;
  }
}
