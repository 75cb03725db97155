import { getEventListeners } from 'node:events';
import { BadGatewayException } from '@nestjs/common';
import {
  BulkheadFullError,
  CircuitOpenError,
  type PipelineOptions,
  fallbackValue,
  withReport,
} from '../src/index.js';
import { closeAll } from './support/boot.js';
import { bootService, down, hang } from './support/commands.js';
import { retry } from './support/pipelines.js';
import { Visits, deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe('execute() of a pipeline', () => {
  it('runs any function under the policies, with a context', async () => {
    const { service, clock } = await bootService();
    const pipeline = service.pipeline('storagesvc', { retry, timeout: '1s' });
    const book = {};
    const seen: unknown[] = [];
    const result = pipeline.execute(async ({ name, attempt, signal }) => {
      seen.push([name, attempt, signal.aborted]);
      return attempt === 1 ? down() : book;
    });
    await clock.advance(1_000);
    expect(await result).toBe(book);
    expect(seen).toEqual([
      ['storagesvc', 1, false],
      ['storagesvc', 2, false],
    ]);
  });

  it('throws any error unchanged', async () => {
    const { service } = await bootService();
    const pipeline = service.pipeline('storagesvc', { circuitBreaker: {}, timeout: '1s' });
    for (const thrown of [new Error('down'), undefined, 'text'] as unknown[]) {
      const atOnce = outcome(
        pipeline.execute(() => {
          throw thrown;
        }),
      );
      expect((await atOnce).error).toBe(thrown);
      expect((await outcome(pipeline.execute(() => Promise.reject(thrown)))).error).toBe(thrown);
    }
  });

  it('lets all functions share breaker and bulkhead', async () => {
    const { service, registry, bulkheads } = await bootService();
    const pipeline = service.pipeline('storagesvc', {
      circuitBreaker: { consecutiveFailures: 2 },
      bulkhead: 1,
    });
    const work = deferred();
    const running = pipeline.execute(() => work.promise);
    await expect(pipeline.execute(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    expect(bulkheads.get('storagesvc')).toMatchObject({ running: 1, rejected: 1 });
    work.resolve();
    await running;
    await outcome(pipeline.execute(down));
    await outcome(pipeline.execute(() => down()));
    await expect(pipeline.execute(() => 1)).rejects.toBeInstanceOf(CircuitOpenError);
    expect(registry.names()).toEqual(['storagesvc']);
  });

  it('needs no policy', async () => {
    const { service } = await bootService();
    const pipeline = service.pipeline('bare', {});
    await expect(pipeline.execute(({ attempt }) => attempt)).resolves.toBe(1);
    expect(pipeline.describe()).toEqual({ name: 'bare', stages: [], policies: [] });
  });

  it('appears in withReport()', async () => {
    const { service } = await bootService();
    const pipeline = service.pipeline('storagesvc', { fallback: fallbackValue('none') });
    const { calls } = await withReport(() => pipeline.execute(down));
    expect(calls).toMatchObject([{ name: 'storagesvc', attempts: 1, source: 'fallback' }]);
  });
});

describe('the signal of execute()', () => {
  const policies: PipelineOptions = {
    bulkhead: { maxConcurrent: 1, maxQueue: 1 },
    retry,
    circuitBreaker: { consecutiveFailures: 1 },
    fallback: fallbackValue('an answer'),
  };

  it('stops the work: the caller gets its reason, without a fallback or a count', async () => {
    const { service, registry } = await bootService();
    const { signal, abort } = controller();
    let own: AbortSignal | undefined;
    const result = service.pipeline('p', policies).execute(
      (context) => {
        own = context.signal;
        return hang();
      },
      { signal },
    );
    const reason = new BadGatewayException();
    abort(reason);
    expect((await outcome(result)).error).toBe(reason);
    expect(own).toMatchObject({ aborted: true, reason });
    expect(registry.get('p').counts).toMatchObject({ ignored: 1, failures: 0 });
  });

  it('stops a wait for a place', async () => {
    const { service, bulkheads } = await bootService();
    const pipeline = service.pipeline('p', policies);
    const { signal, abort } = controller();
    const work = deferred();
    const visits = new Visits();
    const running = pipeline.execute(() => work.promise);
    const waiting = outcome(pipeline.execute(() => visits.visit(), { signal }));
    expect(bulkheads.get('p').waiting).toBe(1);
    abort('why');
    expect((await waiting).error).toBe('why');
    expect(bulkheads.get('p').waiting).toBe(0);
    work.resolve();
    await running;
    expect(visits.count).toBe(0);
  });

  it('stops a wait for another attempt', async () => {
    const { service, clock } = await bootService();
    const { signal, abort } = controller();
    const visits = new Visits();
    const result = outcome(
      service.pipeline('p', { retry }).execute(
        () => {
          visits.visit();
          return down();
        },
        { signal },
      ),
    );
    await settle();
    abort('why');
    expect((await result).error).toBe('why');
    await clock.advance(10_000);
    expect(visits.count).toBe(1);
  });

  it('prevents the start if it was aborted before', async () => {
    const { service } = await bootService();
    const work = jest.fn();
    const result = service
      .pipeline('p', policies)
      .execute(work, { signal: AbortSignal.abort('why') });
    expect((await outcome(result)).error).toBe('why');
    expect(work).not.toHaveBeenCalled();
  });

  it('is released when the call has ended', async () => {
    const { service } = await bootService();
    const { signal, abort } = controller();
    const pipeline = service.pipeline('p', {});
    const running = pipeline.execute(() => 1, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await running;
    await outcome(pipeline.execute(down, { signal }));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    abort('too late');
    await expect(running).resolves.toBe(1);
  });

  it('may be undefined', async () => {
    const { service } = await bootService();
    const result = service.pipeline('p', {}).execute(() => 1, { signal: undefined });
    await expect(result).resolves.toBe(1);
  });
});

/** An AbortController whose parts can be handed around. */
function controller(): { signal: AbortSignal; abort: (reason: unknown) => void } {
  const made = new AbortController();
  return { signal: made.signal, abort: (reason) => made.abort(reason) };
}

describe('wrap()', () => {
  it('passes on this and arguments, by identity, on each attempt', async () => {
    const { service, clock } = await bootService();
    const seen: unknown[][] = [];
    const shelf = {
      find: service.pipeline('p', { retry }).wrap(function (this: unknown, ...args: unknown[]) {
        seen.push([this, ...args]);
        return seen.length === 1 ? down() : Promise.resolve('found');
      }),
    };
    const args = [{}, [], undefined];
    const result = shelf.find(...args);
    await clock.advance(1_000);
    await expect(result).resolves.toBe('found');
    expect(seen).toHaveLength(2);
    for (const [self, ...given] of seen) {
      expect(self).toBe(shelf);
      expect(given).toHaveLength(3);
      given.forEach((each, index) => expect(each).toBe(args[index]));
    }
  });

  it('makes functions with the same signature', async () => {
    const { service } = await bootService();
    const find = service.pipeline('p', {}).wrap(async function find(words: string, page: number) {
      return words.repeat(page);
    });
    expect([find.name, find.length]).toEqual(['find', 2]);
  });

  it('makes functions that share breaker and bulkhead, and fail with a promise', async () => {
    const { service } = await bootService();
    const pipeline = service.pipeline('p', { circuitBreaker: { consecutiveFailures: 2 } });
    const one = pipeline.wrap(() => {
      throw new Error('at once');
    });
    const two = pipeline.wrap(down);
    const three = pipeline.wrap((x: number) => x);
    await expect(three(3)).resolves.toBe(3);
    await expect(one()).rejects.toThrow('at once');
    await expect(two()).rejects.toThrow('down');
    await expect(three(3)).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('gives the arguments to a fallback', async () => {
    const { service } = await bootService();
    const fallback = (_context: unknown, ...args: unknown[]): string => `none for ${args.join()}`;
    const find = service
      .pipeline('p', { fallback })
      .wrap((_words: string, _page: number) => down());
    await expect(find('sea', 2)).resolves.toBe('none for sea,2');
  });
});
