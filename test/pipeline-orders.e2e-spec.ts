import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  BulkheadFullError,
  type Command,
  type PipelineOptions,
  TimeoutError,
  UsePipeline,
  fallbackValue,
  withReport,
} from '../src/index.js';
import { boot, closeAll, of, withAttempts } from './support/boot.js';
import { bootService, commandOf, down, hang } from './support/commands.js';
import { retry, Storage } from './support/pipelines.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

describe('an explicit order', () => {
  /** A pipeline of that order under a method, a command and code. */
  const users: Record<
    string,
    (options: PipelineOptions) => Promise<{
      booted: Awaited<ReturnType<typeof bootService>>;
      call: (work: (attempt: number) => unknown) => Promise<unknown>;
      stages: readonly string[];
    }>
  > = {
    'a method': async (storagesvc) => {
      const booted = await bootService({ pipelines: { storagesvc } }, { providers: [Storage] });
      return {
        booted,
        call: (work) => booted.app.get(Storage).call(counting(work)),
        stages: booted.service.describe(Storage, 'call').stages,
      };
    },
    'a command': async (storagesvc) => {
      const booted = await bootService({ pipelines: { storagesvc } });
      const command: Command<[work: () => unknown]> = commandOf(booted.service, {
        pipeline: 'storagesvc',
      });
      return {
        booted,
        call: (work) => command.execute(counting(work)),
        stages: command.describe().stages,
      };
    },
    'code that has it of forRoot': async (storagesvc) => {
      const booted = await bootService({ pipelines: { storagesvc } });
      const pipeline = booted.service.pipeline('storagesvc');
      return {
        booted,
        call: (work) => pipeline.execute(counting(work)),
        stages: pipeline.describe().stages,
      };
    },
    'code that makes it': async (options) => {
      const booted = await bootService();
      const pipeline = booted.service.pipeline('storagesvc', options);
      return {
        booted,
        call: (work) => pipeline.execute(counting(work)),
        stages: pipeline.describe().stages,
      };
    },
  };

  /** Tells the work which attempt it is. */
  function counting(work: (attempt: number) => unknown): () => unknown {
    let attempt = 0;
    return () => work(++attempt);
  }

  describe.each(Object.keys(users))('of %s', (user) => {
    const using = users[user]!;

    it('bulkhead outermost: a place is held during the waits between attempts', async () => {
      const { booted, call, stages } = await using({
        bulkhead: 1,
        retry,
        order: ['bulkhead', 'retry'],
      });
      expect(stages).toEqual(['bulkhead', 'retry']);
      const result = call((attempt) => (attempt === 1 ? down() : 'up'));
      await booted.clock.advance(500);
      expect(booted.bulkheads.get('storagesvc').running).toBe(1);
      await expect(call(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
      await booted.clock.advance(500);
      await expect(result).resolves.toBe('up');
      expect(booted.bulkheads.get('storagesvc').running).toBe(0);
    });

    it('canonical: the place is given back between attempts', async () => {
      const { booted, call, stages } = await using({ bulkhead: 1, retry });
      expect(stages).toEqual(['retry', 'bulkhead']);
      const result = call((attempt) => (attempt === 1 ? down() : 'up'));
      await booted.clock.advance(500);
      expect(booted.bulkheads.get('storagesvc').running).toBe(0);
      await expect(call(() => 1)).resolves.toBe(1);
      await booted.clock.advance(500);
      await expect(result).resolves.toBe('up');
    });

    it('retry outside the total timeout: each attempt has the full time', async () => {
      const { booted, call, stages } = await using({
        retry,
        timeout: { total: '3s' },
        order: ['retry', 'total timeout'],
      });
      expect(stages).toEqual(['retry', 'total timeout']);
      const result = call((attempt) => (attempt === 1 ? hang() : 'up'));
      await booted.clock.advance(4_000);
      await expect(result).resolves.toBe('up');
    });

    it('retry inside the total timeout: all attempts share the time', async () => {
      const { booted, call, stages } = await using({
        retry,
        timeout: { total: '3s' },
        order: ['total timeout', 'retry'],
      });
      expect(stages).toEqual(['total timeout', 'retry']);
      const events = withAttempts(booted.app);
      const result = outcome(call(hang));
      await booted.clock.advance(3_000);
      expect((await result).error).toBeInstanceOf(TimeoutError);
      expect(of('attempt', events)).toHaveLength(1);
    });

    it('fallback inside the retry: an answered call is not retried', async () => {
      const { booted, call, stages } = await using({
        retry,
        fallback: fallbackValue('none'),
        order: ['retry', 'fallback'],
      });
      expect(stages).toEqual(['retry', 'fallback']);
      await expect(call(down)).resolves.toBe('none');
      expect(of('retry', booted.events)).toEqual([]);
    });

    it('breaker outside the retry: a call counts once, whatever its attempts', async () => {
      const { booted, call, stages } = await using({
        circuitBreaker: { consecutiveFailures: 2 },
        retry,
        order: ['circuit breaker', 'retry'],
      });
      expect(stages).toEqual(['circuit breaker', 'retry']);
      const result = outcome(call(down));
      await booted.clock.advance(1_000);
      await result;
      expect(booted.registry.get('storagesvc')).toMatchObject({
        state: 'closed',
        counts: { requests: 1, failures: 1 },
      });
    });

    it('may list stages that the pipeline does not have', async () => {
      const { stages } = await using({
        retry,
        order: ['bulkhead', 'attempt timeout', 'retry', 'fallback'],
      });
      expect(stages).toEqual(['retry']);
    });
  });

  it('applies to policies that a user adds', async () => {
    @Injectable()
    class S {
      @UsePipeline('storagesvc')
      @Bulkhead(1)
      async m(): Promise<void> {}
    }
    const { service } = await boot({
      providers: [S],
      resilience: { pipelines: { storagesvc: { retry, order: ['bulkhead', 'retry'] } } },
    });
    expect(service.describe(S, 'm').stages).toEqual(['bulkhead', 'retry']);
  });

  it('bulkhead outside the retry: a place is taken until the work of all attempts has ended', async () => {
    const { booted, call } = await users['a command']!({
      bulkhead: 1,
      retry,
      timeout: '1s',
      order: ['bulkhead', 'retry', 'attempt timeout'],
    });
    const work = deferred();
    const result = call((attempt) => (attempt === 1 ? work.promise : 'up'));
    await booted.clock.advance(2_000);
    await expect(result).resolves.toBe('up');
    expect(booted.bulkheads.get('storagesvc').running).toBe(1);
    await expect(call(() => 1)).rejects.toBeInstanceOf(BulkheadFullError);
    work.resolve();
    await settle();
    expect(booted.bulkheads.get('storagesvc').running).toBe(0);
  });

  it('fallback inside the retry: a later live result is reported as live', async () => {
    const { booted, call } = await users['a command']!({
      retry: { ...retry, onResult: (result) => result === 'none' },
      fallback: fallbackValue('none'),
      order: ['retry', 'fallback'],
    });
    const report = withReport(() => call((attempt) => (attempt === 1 ? down() : 'up')));
    await booted.clock.advance(1_000);
    await expect(report).resolves.toMatchObject({ value: 'up', calls: [{ source: 'live' }] });
  });

  it.each([
    ['before the next attempt', 1_500],
    ['while the next attempt runs', 2_500],
  ])(
    'fallback inside a timeout: an answer that comes too late, %s, has no effect',
    async (_, at) => {
      const late = deferred<string>();
      const live = deferred<string>();
      const { booted, call } = await users['a command']!({
        retry,
        timeout: '1s',
        fallback: () => late.promise,
        order: ['retry', 'attempt timeout', 'fallback'],
      });
      const report = withReport(() => call((attempt) => (attempt === 1 ? down() : live.promise)));
      await booted.clock.advance(at);
      late.resolve('late');
      await booted.clock.advance(2_900 - at);
      live.resolve('live');
      await expect(report).resolves.toMatchObject({
        value: 'live',
        calls: [{ source: 'live', attempts: 2 }],
      });
      expect(of('fallback', booted.events)).toEqual([]);
    },
  );
});
