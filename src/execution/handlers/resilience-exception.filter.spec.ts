import type { ArgumentsHost } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';
import { ResilienceError } from '../../common/errors.js';
import { ResilienceExceptionFilter } from './resilience-exception.filter.js';

class Busy extends ResilienceError {
  constructor() {
    super({
      code: 'BUSY',
      policy: 'test',
      policyName: 'secret',
      status: 503,
      title: 'Busy',
      message: 'secret is busy',
      retryAfterMs: 1_499.5, // a clock may tell fractions
    });
  }
}

function host(type: string, client?: unknown): ArgumentsHost {
  return {
    getType: () => type,
    getArgByIndex: () => undefined,
    switchToWs: () => ({ getClient: () => client }),
  } as unknown as ArgumentsHost;
}

const filter = new ResilienceExceptionFilter();

describe('the exception filter', () => {
  it('tells the caller of a microservice the code and when to come back', async () => {
    const answer = filter.catch(new Busy(), host('rpc'))!;
    await expect(firstValueFrom(answer)).rejects.toEqual({ code: 'BUSY', retryAfterMs: 1_500 });
  });

  it('sends an event to the client of a gateway', () => {
    const emit = jest.fn();
    expect(filter.catch(new Busy(), host('ws', { emit }))).toBeUndefined();
    expect(emit.mock.calls).toEqual([
      ['exception', { status: 'error', message: 'Busy', code: 'BUSY', retryAfterMs: 1_500 }],
    ]);
  });

  it('sends nothing to a client of a gateway that takes no events', () => {
    expect(() => filter.catch(new Busy(), host('ws', {}))).not.toThrow();
  });

  it('returns nothing on other transports', () => {
    expect(filter.catch(new Busy(), host('carrier pigeon'))).toBeUndefined();
  });
});
