import { Injectable } from '@nestjs/common';
import { constant, ResilienceService, Retry, Timeout } from '../src/index.js';
import { boot, closeAll, type Parts } from './support/boot.js';

afterEach(closeAll);

const problem = async (parts: Parts): Promise<string> =>
  boot(parts).then(
    () => 'started',
    (error: Error) => error.message,
  );

describe('a first wait that never fits prevents the start', () => {
  it('on a method whose total timeout comes from another layer', async () => {
    @Injectable()
    class Books {
      @Retry({ backoff: constant('2s') })
      async list(): Promise<void> {}

      @Retry({ backoff: constant('2s'), maxRetries: 0 })
      @Timeout('500ms')
      async once(): Promise<void> {}
    }
    const resilience = { overrides: { 'Books.list': { timeout: { total: '1s' } } } } as const;
    @Injectable()
    class Slow {
      @Retry({ backoff: constant('2s'), maxElapsedTime: 0 })
      @Timeout({ total: '1s' })
      async list(): Promise<void> {}
    }
    expect(await problem({ providers: [Slow] })).toBe(
      'nest-resilience found 2 problems in the configuration:\n' +
        "  - Slow.list @Retry: maxElapsedTime is 0; use Infinity for no limit, which 0 means in cenkalti/backoff, or a duration above 0 such as '15m'\n" +
        '  - Slow.list @Retry: the first wait of backoff (at least 2000 ms) never fits into the total timeout (1000 ms), so nothing is ever retried',
    );
    expect(await problem({ providers: [Books] })).toBe('started');
    expect(await problem({ providers: [Books], resilience })).not.toBe('started');
  });

  it('of a command is reported where it is defined', async () => {
    const { app } = await boot();
    expect(() =>
      app.get(ResilienceService).command('slow', {
        run: () => 'ok',
        retry: { backoff: constant('2s') },
        timeout: { total: '1s' },
      }),
    ).toThrow('the first wait of backoff (at least 2000 ms) never fits into the total timeout');
  });

  it('does not prevent it if the wait fits', async () => {
    @Injectable()
    class Books {
      @Retry({ backoff: constant('2s') })
      @Timeout({ total: '2500ms' })
      async list(): Promise<void> {}
    }
    expect(await problem({ providers: [Books] })).toBe('started');
  });
});
