import { NotFoundException } from '@nestjs/common';
import {
  BulkheadFullError,
  CircuitOpenError,
  CommandCancelledError,
  type FallbackContext,
  TimeoutError,
} from '../src/index.js';
import { closeAll } from './support/boot.js';
import { down, hang } from './support/commands.js';
import { Drill, boom, presets } from './support/hystrix-drill.js';
import { Visits, deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

/** Ways for a call to fail, with the error of each. */
const ends: Record<
  string,
  { bring: (drill: Drill) => Promise<unknown>; error: unknown; rejected: boolean }
> = {
  'an error': {
    bring: (drill) => drill.call(() => Promise.reject(boom)),
    error: boom,
    rejected: false,
  },
  'an error thrown at once': {
    bring: (drill) =>
      drill.call(() => {
        throw boom;
      }),
    error: boom,
    rejected: false,
  },
  'a timeout': {
    bring: async (drill) => {
      const call = drill.call(hang);
      call.catch(() => {}); // its test checks it later
      await drill.advance(1_000);
      return call;
    },
    error: expect.any(TimeoutError),
    rejected: true,
  },
  'a short circuit': {
    bring: async (drill) => {
      await drill.fail(20);
      return drill.call();
    },
    error: expect.any(CircuitOpenError),
    rejected: true,
  },
  'too many calls': {
    bring: (drill) => {
      drill.start(10);
      return drill.call();
    },
    error: expect.any(BulkheadFullError),
    rejected: true,
  },
};

describe.each(Object.keys(presets))('a command with %s', (name) => {
  const preset = presets[name]!;

  describe('execute and queue', () => {
    it('return the result of run', async () => {
      const drill = await Drill.of(preset());
      await expect(drill.call(() => 'books')).resolves.toBe('books');
      await expect(drill.call(async () => 'books')).resolves.toBe('books');
      await expect(drill.command.queue(() => 'books').result).resolves.toBe('books');
    });

    it('begin at once', async () => {
      const drill = await Drill.of(preset());
      const visits = new Visits();
      const calls = [drill.call(() => visits.visit())];
      expect(visits.count).toBe(1);
      calls.push(drill.command.queue(() => visits.visit()).result);
      expect(visits.count).toBe(2);
      await Promise.all(calls);
    });

    it('may be repeated any number of times: a command is reusable', async () => {
      const drill = await Drill.of(preset());
      await drill.succeed(3);
      expect(drill.breaker.counts.successes).toBe(3);
    });
  });

  describe('a fallback', () => {
    it.each(Object.keys(ends))('is told the cause: %s', async (kind) => {
      const { bring, error, rejected } = ends[kind]!;
      const given: FallbackContext[] = [];
      const fallback = (context: FallbackContext): string => {
        given.push(context);
        return 'none';
      };
      const drill = await Drill.of(preset({ fallback }));
      await expect(bring(drill)).resolves.toBe('none');
      expect(given.at(-1)).toEqual({ name: 'books', error, rejected, attempts: 1 });
      if (error === boom) expect(given.at(-1)!.error).toBe(boom);
    });

    it.each(Object.keys(ends))('that is absent leaves the error unchanged: %s', async (kind) => {
      const { bring, error } = ends[kind]!;
      const drill = await Drill.of(preset());
      const { error: thrown } = await outcome(bring(drill));
      expect(thrown).toEqual(error);
      if (error === boom) expect(thrown).toBe(boom);
    });

    it.each(Object.keys(ends))(
      'that fails too gives its error, with the first error as cause: %s',
      async (kind) => {
        const { bring, error } = ends[kind]!;
        const drill = await Drill.of(
          preset({
            fallback: () => {
              throw new Error('nor from the shelf');
            },
          }),
        );
        const thrown = (await outcome(bring(drill))).error as Error;
        expect(thrown.message).toBe('nor from the shelf');
        expect(thrown.cause).toEqual(error);
        if (error === boom) expect(thrown.cause).toBe(boom);
      },
    );

    it('answers every error, including those of the caller: only an ignored error is a bad request', async () => {
      const drill = await Drill.of(preset({ fallback: () => 'none' }));
      for (const error of [new NotFoundException(), new TypeError(), new ReferenceError(), null]) {
        await expect(drill.call(() => Promise.reject(error))).resolves.toBe('none');
      }
      expect(drill.breaker.counts).toMatchObject({ failures: 4, ignored: 0 });
    });

    it('may take any time: the timeout does not cover it', async () => {
      const answer = deferred<string>();
      const drill = await Drill.of(preset({ fallback: () => answer.promise }));
      const call = drill.call(down);
      await drill.advance(60_000);
      answer.resolve('at last');
      await expect(call).resolves.toBe('at last');
    });

    it('does not answer a cancelled call, which is not counted', async () => {
      const fallback = jest.fn();
      const drill = await Drill.of(preset({ fallback }));
      const handle = drill.command.queue(hang);
      expect(handle.cancel()).toBe(true);
      await expect(handle.result).rejects.toBeInstanceOf(CommandCancelledError);
      expect(fallback).not.toHaveBeenCalled();
      expect(drill.breaker.counts).toMatchObject({ failures: 0, successes: 0, ignored: 1 });
    });
  });

  describe('the timeout', () => {
    it('is 1 s by default: the caller then goes on, and the signal is aborted', async () => {
      const drill = await Drill.of(preset());
      let signal: AbortSignal | undefined;
      let ended = false;
      const call = outcome(
        drill.call((context) => {
          signal = context.signal;
          return hang();
        }),
      ).finally(() => (ended = true));
      await drill.advance(999);
      expect([ended, signal?.aborted]).toEqual([false, false]);
      await drill.advance(1);
      expect((await call).error).toMatchObject({ code: 'TIMEOUT', timeoutMs: 1_000 });
      expect(signal?.aborted).toBe(true);
    });

    it('can be changed', async () => {
      const drill = await Drill.of(preset({ timeout: '3s' }));
      const call = outcome(drill.call(hang));
      await drill.advance(3_000);
      expect((await call).error).toMatchObject({ code: 'TIMEOUT', timeoutMs: 3_000 });
    });

    it.each(['success', 'failure'])('does not count a late %s again', async (late) => {
      const drill = await Drill.of(preset());
      const work = deferred();
      const call = outcome(drill.call(() => work.promise));
      await drill.advance(1_000);
      await call;
      if (late === 'success') work.resolve();
      else work.reject(boom);
      await settle();
      expect(drill.breaker.counts).toMatchObject({ requests: 1, failures: 1, successes: 0 });
      expect(drill.breaker.metrics.counts).toMatchObject({ timeout: 1, success: 0, failure: 0 });
    });
  });

  describe('the number of calls that run at a time is', () => {
    it('10 by default; a further one is rejected at once, without a queue', async () => {
      const drill = await Drill.of(preset());
      const works = drill.start(10);
      const visits = new Visits();
      await expect(drill.call(() => visits.visit())).rejects.toMatchObject({ reason: 'full' });
      expect(visits.count).toBe(0);
      works[0]!.resolve(1);
      await settle();
      await expect(drill.call(() => visits.visit())).resolves.toBe(1);
    });

    it('configurable', async () => {
      const drill = await Drill.of(preset({ places: 2 }));
      drill.start(2);
      await expect(drill.call()).rejects.toBeInstanceOf(BulkheadFullError);
    });

    it('a call that has timed out keeps its place until its work has ended (unlike Hystrix)', async () => {
      const drill = await Drill.of(preset({ places: 1 }));
      const [work] = drill.start();
      await drill.advance(1_000);
      await expect(drill.call()).rejects.toBeInstanceOf(BulkheadFullError);
      work!.reject(boom);
      await settle();
      await expect(drill.call()).resolves.toBe('ok');
    });

    it('a running fallback takes no place', async () => {
      const answers = Array.from({ length: 3 }, () => deferred<string>());
      let asked = 0;
      const drill = await Drill.of(
        preset({ places: 1, fallback: () => answers[asked++]!.promise }),
      );
      const calls: Promise<unknown>[] = [];
      for (let call = 0; call < 3; call++) {
        calls.push(drill.call(down));
        await settle();
      }
      expect(asked).toBe(3);
      expect(drill.command.snapshot().bulkhead).toMatchObject({ running: 0, rejected: 0 });
      for (const answer of answers) answer.resolve('none');
      await Promise.all(calls);
    });
  });
});
