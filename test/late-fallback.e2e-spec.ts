import { Injectable } from '@nestjs/common';
import { Fallback, Retry, Timeout, UsePipeline, constant, withReport } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { deferred, settle } from './support/wait.js';

afterEach(closeAll);

describe('a fallback inside a retry, in a custom order', () => {
  it('does not affect the next attempt when it answers too late', async () => {
    const [late, live] = [deferred<string>(), deferred<string>()];
    @Injectable()
    class S {
      attempts = 0;
      @UsePipeline('inside')
      @Retry({ maxRetries: 1, backoff: constant(0) })
      @Timeout('1s')
      @Fallback(() => late.promise)
      async m(): Promise<string> {
        if (++this.attempts === 1) throw new Error('down');
        return live.promise;
      }
    }
    const { app, clock } = await boot({
      providers: [S],
      resilience: { pipelines: { inside: { order: ['retry', 'attempt timeout', 'fallback'] } } },
    });
    const report = withReport(() => app.get(S).m());
    await clock.advance(1_000);
    late.resolve('late answer');
    await settle();
    live.resolve('live');
    expect(await report).toMatchObject({
      value: 'live',
      calls: [{ attempts: 2, source: 'live' }],
    });
  });
});
