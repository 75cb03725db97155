import { Injectable } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ResilienceEvents, Retry, Timeout, constant } from '../src/index.js';
import { appModule, closeAll } from './support/boot.js';
import { outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe('when the application closes', () => {
  @Injectable()
  class S {
    calls = 0;
    @Retry({ maxRetries: 9, backoff: constant('1h'), maxElapsedTime: Infinity })
    async m(): Promise<never> {
      this.calls += 1;
      throw new Error(`attempt ${this.calls}`);
    }
  }

  it('calls that wait for their next attempt end at once, with their last error', async () => {
    const { AppModule, clock } = appModule({ providers: [S] });
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const seen: unknown[] = [];
    app.get(ResilienceEvents).subscribe((event) => seen.push(event));
    const service = app.get(S);
    const calls = [outcome(service.m()), outcome(service.m())];
    await settle();
    expect(clock.pending).toBe(2);
    await app.close();
    expect((await Promise.all(calls)).map(({ error }) => String(error))).toEqual([
      'Error: attempt 1',
      'Error: attempt 2',
    ]);
    expect(clock.pending).toBe(0);
    expect(seen).toContainEqual(
      expect.objectContaining({ type: 'retries-exhausted', reason: 'shutdown' }),
    );
  });

  it('no timer of a timeout is left', async () => {
    @Injectable()
    class Timed {
      @Timeout({ attempt: '1s', total: '1m' })
      async m(): Promise<void> {}
    }
    const { AppModule, clock } = appModule({ providers: [Timed] });
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    await app.get(Timed).m();
    await app.close();
    expect(clock.pending).toBe(0);
  });

  it('later calls are not retried', async () => {
    const { AppModule, clock } = appModule({ providers: [S] });
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    const service = app.get(S);
    await app.close();
    await expect(service.m()).rejects.toThrow('attempt 1');
    expect(clock.pending).toBe(0);
  });
});
