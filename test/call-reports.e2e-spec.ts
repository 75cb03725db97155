import { AsyncResource } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import {
  type FallbackContext,
  Fallback,
  Retry,
  Timeout,
  constant,
  withReport,
} from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

describe('withReport()', () => {
  @Injectable()
  class Inner {
    @Retry({ maxRetries: 2, backoff: constant('1s') })
    async flaky(failures: number[]): Promise<string> {
      if (failures.pop() !== undefined) throw new Error('down');
      return 'live';
    }

    @Fallback(({ attempts }: FallbackContext) => `answer after ${attempts}`)
    @Retry({ maxRetries: 1, backoff: constant('1s') })
    async broken(): Promise<string> {
      throw new Error('down');
    }
  }
  @Injectable()
  class Outer {
    constructor(readonly inner: Inner) {}
    @Timeout('1m')
    async both(): Promise<string[]> {
      return [await this.inner.flaky([1]), await this.inner.broken()];
    }
  }

  it('has each call with its attempts, the origin of its answer and its duration', async () => {
    const { app, clock } = await boot({ providers: [Inner, Outer] });
    const work = withReport(() => app.get(Outer).both());
    await clock.advance(10_000);
    const common = { outcome: 'success', ageMs: undefined };
    expect(await work).toEqual({
      value: ['live', 'answer after 2'],
      calls: [
        { ...common, name: 'Inner.flaky', attempts: 2, source: 'live', durationMs: 1_000 },
        { ...common, name: 'Inner.broken', attempts: 2, source: 'fallback', durationMs: 1_000 },
        { ...common, name: 'Outer.both', attempts: 1, source: 'live', durationMs: 2_000 },
      ],
    });
  });

  it('keeps the reports of simultaneous work apart', async () => {
    const { app, clock } = await boot({ providers: [Inner] });
    const works = [[], [1]].map((failures) => withReport(() => app.get(Inner).flaky(failures)));
    await clock.advance(10_000);
    const reports = await Promise.all(works);
    expect(reports.map(({ calls }) => calls.map(({ attempts }) => attempts))).toEqual([[1], [2]]);
  });

  it('leaves out calls that outlast the work', async () => {
    const { app } = await boot({ providers: [Inner] });
    const inner = app.get(Inner);
    const { value: later, calls } = await withReport(async () => {
      await inner.flaky([]);
      return AsyncResource.bind(() => inner.flaky([]));
    });
    for (let i = 0; i < 3; i++) await later();
    expect(calls).toHaveLength(1);
  });

  it('throws the error of the work', async () => {
    const error = new Error('down');
    await expect(outcome(withReport(() => Promise.reject(error)))).resolves.toEqual({ error });
  });

  it('is empty for work without protected calls', async () => {
    await expect(withReport(() => 1)).resolves.toEqual({ value: 1, calls: [] });
  });
});
