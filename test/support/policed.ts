import { CircuitBreaker } from '../../src/index.js';
import type { Booted } from './boot.js';

/** All methods of a test share this breaker: its requests are the calls that went through policies. */
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
