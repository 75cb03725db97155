import { NotFoundException } from '@nestjs/common';
import {
  BulkheadFullError,
  CircuitOpenError,
  type Command,
  CommandCancelledError,
  type Duration,
  type FallbackContext,
  TimeoutError,
  hystrix,
  hystrixGo,
} from '../src/index.js';
import { closeAll, of } from './support/boot.js';
import {
  type Policies,
  type Serviced,
  type Work,
  bootService,
  commandOf,
  down,
  hang,
  refuseUnhandledRejections,
} from './support/commands.js';
import { type Deferred, Visits, deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);
refuseUnhandledRejections();

/** What both presets have, under one name. */
interface Settings {
  readonly timeout?: Duration;
  readonly places?: number;
  readonly volume?: number;
  readonly percent?: number;
  readonly sleepWindow?: Duration;
  readonly fallback?: (context: FallbackContext) => unknown;
}

const presets: Record<string, (settings?: Settings) => Policies> = {
  'hystrix()': ({ timeout, places, volume, percent, sleepWindow, fallback } = {}) =>
    hystrix({
      timeout,
      maxConcurrentRequests: places,
      requestVolumeThreshold: volume,
      errorThresholdPercentage: percent,
      sleepWindow,
      fallback,
    }),
  'hystrixGo()': ({ timeout, places, volume, percent, sleepWindow, fallback } = {}) =>
    hystrixGo({
      timeout,
      maxConcurrentRequests: places,
      requestVolumeThreshold: volume,
      errorPercentThreshold: percent,
      sleepWindow,
      fallback,
    }),
};

/** A command under test. */
class Drill {
  readonly command: Command<[work: Work], unknown>;

  constructor(
    readonly app: Serviced,
    policies: Policies,
  ) {
    this.command = commandOf(app.service, policies);
  }

  static async of(policies: Policies): Promise<Drill> {
    return new Drill(await bootService(), policies);
  }

  get state(): string {
    return this.breaker.state;
  }

  get breaker() {
    return this.command.snapshot().circuitBreaker!;
  }

  call(work: Work = () => 'ok'): Promise<unknown> {
    return this.command.execute(work);
  }

  /** Calls one after the other that fail, answered or not. */
  async fail(times = 1): Promise<void> {
    for (let call = 0; call < times; call++) await outcome(this.call(down));
  }

  async succeed(times = 1): Promise<void> {
    for (let call = 0; call < times; call++) await this.call();
  }

  /** Calls that run until their work is settled. */
  start(times = 1): Deferred<unknown>[] {
    const works = Array.from({ length: times }, () => deferred<unknown>());
    for (const { promise } of works) void outcome(this.call(() => promise));
    return works;
  }

  advance(ms: number): Promise<void> {
    return this.app.clock.advance(ms);
  }

  /** What `times` calls at the same time come to. */
  async burst(times: number): Promise<{ ran: number; rejected: unknown[] }> {
    const visits = new Visits();
    const calls = Array.from({ length: times }, () => outcome(this.call(() => visits.visit())));
    const outcomes = await Promise.all(calls);
    const rejected = outcomes.filter((each) => 'error' in each).map(({ error }) => error);
    return { ran: visits.count, rejected };
  }
}

const boom = new Error('boom');

/** Ways for a call to come to nothing, and the error that there is for each. */
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
      call.catch(() => {}); // whoever brings it about looks at it later
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
    it('answer with what run returns', async () => {
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

    it('may be made any number of times: a command is not used up', async () => {
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

    it.each(Object.keys(ends))('that is none leaves the error as it is: %s', async (kind) => {
      const { bring, error } = ends[kind]!;
      const drill = await Drill.of(preset());
      const { error: thrown } = await outcome(bring(drill));
      expect(thrown).toEqual(error);
      if (error === boom) expect(thrown).toBe(boom);
    });

    it.each(Object.keys(ends))(
      'that fails too is heard, with the first error as cause: %s',
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

    it('answers for every error, those of the caller too: there is no bad request but what is ignored', async () => {
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

    it('does not answer for a call that was cancelled, which counts for nobody', async () => {
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

    it('can be another', async () => {
      const drill = await Drill.of(preset({ timeout: '3s' }));
      const call = outcome(drill.call(hang));
      await drill.advance(3_000);
      expect((await call).error).toMatchObject({ code: 'TIMEOUT', timeoutMs: 3_000 });
    });

    it.each(['success', 'failure'])('has a late %s count no second time', async (late) => {
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

  describe('at most so many calls run at a time:', () => {
    it('10 by default; one beyond is rejected at once, none waits', async () => {
      const drill = await Drill.of(preset());
      const works = drill.start(10);
      const visits = new Visits();
      await expect(drill.call(() => visits.visit())).rejects.toMatchObject({ reason: 'full' });
      expect(visits.count).toBe(0);
      works[0]!.resolve(1);
      await settle();
      await expect(drill.call(() => visits.visit())).resolves.toBe(1);
    });

    it('or another number', async () => {
      const drill = await Drill.of(preset({ places: 2 }));
      drill.start(2);
      await expect(drill.call()).rejects.toBeInstanceOf(BulkheadFullError);
    });

    it('a call that has timed out keeps its place until its work has ended (unlike theirs)', async () => {
      const drill = await Drill.of(preset({ places: 1 }));
      const [work] = drill.start();
      await drill.advance(1_000);
      await expect(drill.call()).rejects.toBeInstanceOf(BulkheadFullError);
      work!.reject(boom);
      await settle();
      await expect(drill.call()).resolves.toBe('ok');
    });

    it('a fallback that is at work takes no place', async () => {
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

  describe('the circuit', () => {
    it('stays closed at 19 failing calls and opens at the 20th: the next one does not run', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(19);
      expect(drill.state).toBe('closed');
      await drill.fail();
      expect(drill.state).toBe('open');
      const { ran, rejected } = await drill.burst(5);
      expect(ran).toBe(0);
      for (const error of rejected) expect(error).toBeInstanceOf(CircuitOpenError);
    });

    it('opens at another volume', async () => {
      const drill = await Drill.of(preset({ volume: 3 }));
      await drill.fail(2);
      expect(drill.state).toBe('closed');
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it('opens at 50 %, also by a success that makes the volume', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(10);
      await drill.succeed(9);
      expect(drill.state).toBe('closed');
      await drill.succeed();
      expect(drill.state).toBe('open');
    });

    it('stays closed below it', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(9);
      await drill.succeed(11);
      expect(drill.state).toBe('closed');
    });

    it('opens at another percentage', async () => {
      const drill = await Drill.of(preset({ percent: 25 }));
      await drill.succeed(15);
      await drill.fail(4);
      expect(drill.state).toBe('closed');
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it('opens by timeouts', async () => {
      const drill = await Drill.of(preset({ volume: 3, places: 3 }));
      drill.start(3);
      await drill.advance(1_000);
      expect(drill.state).toBe('open');
    });

    it('opens by calls that found no place', async () => {
      const drill = await Drill.of(preset());
      drill.start(10);
      const { ran, rejected } = await drill.burst(21);
      expect(ran).toBe(0);
      expect(rejected.filter((error) => error instanceof BulkheadFullError)).toHaveLength(20);
      expect(rejected.at(-1)).toBeInstanceOf(CircuitOpenError);
      expect(drill.state).toBe('open');
    });

    it('forgets calls after 10 s', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(19);
      await drill.advance(9_999);
      expect(drill.breaker.counts.failures).toBe(19);
      await drill.advance(1);
      expect(drill.breaker.counts.failures).toBe(0);
      await drill.fail();
      expect(drill.state).toBe('closed');
    });

    it('remembers calls for nearly 10 s', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(19);
      await drill.advance(8_999);
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it('forgets a second at a time', async () => {
      const drill = await Drill.of(preset());
      for (let second = 0; second < 10; second++) {
        await drill.succeed();
        await drill.advance(1_000);
        expect(drill.breaker.counts.successes).toBe(Math.min(second + 1, 9));
      }
    });

    it('is another one for a command of another name', async () => {
      const drill = await Drill.of(preset());
      const other = commandOf(drill.app.service, preset(), 'films');
      await drill.fail(20);
      await expect(other.execute(() => 'ok')).resolves.toBe('ok');
      const same = commandOf(drill.app.service, preset());
      await expect(same.execute(() => 'ok')).rejects.toBeInstanceOf(CircuitOpenError);
    });
  });

  describe('when the circuit is open', () => {
    const opened = async (settings?: Settings): Promise<Drill> => {
      const drill = await Drill.of(preset(settings));
      await drill.fail(20);
      expect(drill.state).toBe('open');
      return drill;
    };

    it('nothing runs before the sleep window is over; then exactly one probe does', async () => {
      const drill = await opened();
      await drill.advance(4_999);
      expect((await drill.burst(3)).ran).toBe(0);
      await drill.advance(1);
      const [probe] = drill.start();
      expect((await drill.burst(3)).ran).toBe(0);
      expect(drill.state).toBe('half-open');
      probe!.resolve(1);
      await settle();
      expect(drill.state).toBe('closed');
    });

    it('the sleep window can be another', async () => {
      const drill = await opened({ sleepWindow: '1s' });
      await drill.advance(999);
      expect((await drill.burst(1)).ran).toBe(0);
      await drill.advance(1);
      expect((await drill.burst(1)).ran).toBe(1);
    });

    it('a probe that succeeds closes it, and it begins to count anew', async () => {
      const drill = await opened();
      await drill.advance(5_000);
      await drill.succeed();
      expect(drill.state).toBe('closed');
      expect(drill.breaker.counts).toMatchObject({ requests: 0, failures: 0 });
      await drill.fail(19);
      expect(drill.state).toBe('closed');
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it.each([
      ['fails', 0],
      ['takes half a second to fail', 500],
    ])('a probe that %s opens it for a full sleep window from then on', async (_, ms) => {
      const drill = await opened();
      await drill.advance(5_000);
      const [probe] = drill.start();
      await drill.advance(ms);
      probe!.reject(boom);
      await settle();
      expect(drill.state).toBe('open');
      await drill.advance(4_999);
      expect((await drill.burst(1)).ran).toBe(0);
      await drill.advance(1);
      expect((await drill.burst(1)).ran).toBe(1);
      expect(drill.state).toBe('closed');
    });

    it('a probe that times out opens it, and its late success does not close it', async () => {
      const drill = await opened();
      await drill.advance(5_000);
      const [probe] = drill.start();
      await drill.advance(1_000);
      expect(drill.state).toBe('open');
      probe!.resolve(1);
      await settle();
      expect(drill.state).toBe('open');
      await drill.advance(4_999);
      expect((await drill.burst(1)).ran).toBe(0);
    });

    it('a probe that hangs has failed after a sleep window, and another one comes after the next', async () => {
      const drill = await opened({ timeout: '60s' });
      await drill.advance(5_000);
      const [hung] = drill.start();
      await drill.advance(4_999);
      expect((await drill.burst(3)).ran).toBe(0);
      await drill.advance(1);
      expect(drill.state).toBe('open'); // unlike theirs, which asks at once
      await drill.advance(5_000);
      const [second] = drill.start();
      expect((await drill.burst(3)).ran).toBe(0);
      hung!.resolve('late'); // unlike theirs: the first one decides nothing any more
      await settle();
      expect(drill.state).toBe('half-open');
      second!.resolve(1);
      await settle();
      expect(drill.state).toBe('closed');
    });

    it('a cancelled probe decides nothing: the next call is one', async () => {
      const drill = await opened();
      await drill.advance(5_000);
      const handle = drill.command.queue(hang);
      expect((await drill.burst(1)).ran).toBe(0);
      handle.cancel();
      await settle();
      expect(drill.state).toBe('half-open');
      await drill.succeed();
      expect(drill.state).toBe('closed');
    });

    it('a success that was admitted before does not close it (unlike theirs)', async () => {
      const drill = await Drill.of(preset({ timeout: '60s' }));
      const [early, other, third] = drill.start(3);
      await drill.fail(20);
      early!.resolve('late');
      await settle();
      expect(drill.state).toBe('open');
      await drill.advance(5_000);
      const [probe] = drill.start();
      other!.resolve('late, while a probe runs');
      await settle();
      expect(drill.state).toBe('half-open');
      third!.reject(boom);
      await settle();
      expect(drill.state).toBe('half-open');
      expect(drill.breaker.stale).toBe(3);
      probe!.resolve(1);
      await settle();
      expect(drill.state).toBe('closed');
    });

    it('a failure that was admitted before does not keep it open for longer', async () => {
      const drill = await Drill.of(preset({ timeout: '60s' }));
      const [early] = drill.start();
      await drill.fail(20);
      await drill.advance(4_000);
      early!.reject(boom);
      await drill.advance(1_000);
      expect((await drill.burst(1)).ran).toBe(1);
    });

    it('what it turns away counts for nothing in it', async () => {
      const drill = await opened();
      await drill.burst(100);
      expect(drill.breaker).toMatchObject({ rejected: 100, counts: { requests: 0, failures: 0 } });
      await drill.advance(5_000);
      await drill.succeed();
      await drill.fail(19);
      expect(drill.state).toBe('closed');
    });

    it('a fallback answers what it turns away, at once', async () => {
      const drill = await opened({ fallback: () => 'none' });
      await expect(drill.call()).resolves.toBe('none');
    });
  });

  describe('an operator', () => {
    it('forces it open: nothing runs, not even a probe; fallbacks answer', async () => {
      const drill = await Drill.of(preset({ fallback: () => 'none' }));
      drill.app.registry.get('books').forceOpen({ by: 'anna' });
      for (let window = 0; window < 3; window++) {
        await expect(drill.call()).resolves.toBe('none');
        await drill.advance(5_000);
      }
      drill.app.registry.get('books').clearOverride();
      await expect(drill.call()).resolves.toBe('ok');
    });

    it('forces open what is open already: there is no probe either (unlike theirs)', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(20);
      drill.app.registry.get('books').forceOpen();
      await drill.advance(5_000);
      expect((await drill.burst(3)).ran).toBe(0);
      drill.app.registry.get('books').clearOverride();
      await drill.succeed();
      expect(drill.state).toBe('closed');
    });

    it('disables it: all calls run, and are counted; released, it works again', async () => {
      const drill = await Drill.of(preset());
      drill.app.registry.get('books').disable();
      await drill.fail(100);
      expect(drill.breaker).toMatchObject({ state: 'closed', counts: { failures: 100 } });
      expect(drill.breaker.metrics.counts.failure).toBe(100);
      drill.app.registry.get('books').clearOverride();
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it('changes its settings while it works', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(5);
      drill.app.registry.reconfigure('books', { minimumCalls: 6, openFor: '1s' });
      await drill.fail();
      expect(drill.state).toBe('open');
      await drill.advance(1_000);
      expect((await drill.burst(1)).ran).toBe(1);
    });
  });
});

describe('the error percentage', () => {
  /** So many calls, failing ones last, as many as it takes to open. */
  async function failuresToOpen(policies: Policies, succeeding: number): Promise<number> {
    const drill = await Drill.of(policies);
    await drill.succeed(succeeding);
    let failures = 0;
    while (drill.state === 'closed' && failures < 200) {
      await drill.fail();
      failures += 1;
    }
    return failures;
  }

  it('of hystrix() is truncated: 49.7 % are not 50 %', async () => {
    // 101 good ones: 100 of 201 are 49.75 %, 101 of 202 are 50 %.
    await expect(failuresToOpen(hystrix(), 101)).resolves.toBe(101);
  });

  it('of hystrixGo() is rounded: 49.5 % are 50 %, 49.2 % are not', async () => {
    // 101 good ones: 98 of 199 are 49.25 %, 99 of 200 are 49.5 %.
    await expect(failuresToOpen(hystrixGo(), 101)).resolves.toBe(99);
  });

  it.each([
    // 1 of 100 is 1 %; 1 of 101 is less.
    ['hystrix()', 1, 99, 1],
    ['hystrix()', 1, 100, 2],
    // 33 of 100 are 33 %; 33 of 101 are less.
    ['hystrix()', 33, 67, 33],
    ['hystrix()', 33, 68, 34],
    // 1 of 200 is 0.5 %; 1 of 201 is less.
    ['hystrixGo()', 1, 199, 1],
    ['hystrixGo()', 1, 200, 2],
    // 13 of 40 are 32.5 %; 13 of 41 are less.
    ['hystrixGo()', 33, 27, 13],
    ['hystrixGo()', 33, 28, 14],
  ])('of %s is inclusive: %i %% after %i good calls at %i bad ones', async (...row) => {
    const [name, percent, good, bad] = row;
    await expect(failuresToOpen(presets[name]!({ percent }), good)).resolves.toBe(bad);
  });

  it.each(Object.keys(presets))('of 100 takes nothing but failures: %s', async (name) => {
    const drill = await Drill.of(presets[name]!({ percent: 100 }));
    await drill.fail(20);
    expect(drill.state).toBe('open');
    const other = await Drill.of(presets[name]!({ percent: 100 }));
    await other.fail(19);
    await other.succeed();
    await other.fail(100);
    expect(other.state).toBe('closed');
  });
});

describe('hystrix()', () => {
  class BadRequestError extends Error {}
  const bad: Work = () => Promise.reject(new BadRequestError('bad'));

  it('has no timeout when that is false', async () => {
    const drill = await Drill.of(hystrix({ timeout: false }));
    const [work] = drill.start();
    const call = drill.call(() => work!.promise);
    await drill.advance(3_600_000);
    work!.resolve('at last');
    await expect(call).resolves.toBe('at last');
    expect(drill.command.describe().stages).toEqual(['circuit breaker', 'bulkhead']);
  });

  it('without a timeout takes a hung probe for failed after a sleep window', async () => {
    const drill = await Drill.of(hystrix({ timeout: false }));
    await drill.fail(20);
    await drill.advance(5_000);
    drill.start();
    await drill.advance(4_999);
    expect((await drill.burst(1)).ran).toBe(0);
    await drill.advance(1);
    expect(drill.state).toBe('open');
    await drill.advance(5_000);
    await drill.succeed();
    expect(drill.state).toBe('closed');
  });

  it('without a timeout never takes a hung call for a failure', async () => {
    const drill = await Drill.of(hystrix({ timeout: false, requestVolumeThreshold: 1 }));
    drill.start();
    await drill.advance(3_600_000);
    expect(drill.breaker).toMatchObject({ state: 'closed', running: 1, counts: { failures: 0 } });
  });

  describe('ignore: bad requests', () => {
    it('reach the caller as they are, whatever fallback there is', async () => {
      const fallback = jest.fn();
      const drill = await Drill.of(hystrix({ ignore: [BadRequestError], fallback }));
      const error = new BadRequestError();
      expect((await outcome(drill.call(() => Promise.reject(error)))).error).toBe(error);
      expect(fallback).not.toHaveBeenCalled();
    });

    it('count neither as calls nor as errors', async () => {
      const drill = await Drill.of(hystrix({ ignore: [BadRequestError] }));
      await drill.fail(19);
      for (let call = 0; call < 30; call++) await outcome(drill.call(bad));
      expect(drill.breaker).toMatchObject({
        state: 'closed',
        failureRate: 1,
        counts: { failures: 19, ignored: 30 },
      });
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it('decide nothing as a probe: the next call is one', async () => {
      const drill = await Drill.of(hystrix({ ignore: [BadRequestError] }));
      await drill.fail(20);
      await drill.advance(5_000);
      await outcome(drill.call(bad));
      expect(drill.state).toBe('half-open');
      const [probe] = drill.start();
      expect((await drill.burst(3)).ran).toBe(0);
      probe!.resolve(1);
      await settle();
      expect(drill.state).toBe('closed');
    });

    it('may be told by a function', async () => {
      const ignore = [(error: unknown) => (error as Error).message === 'bad'];
      const drill = await Drill.of(hystrix({ ignore, fallback: () => 'none' }));
      await expect(drill.call(bad)).rejects.toThrow('bad');
      await expect(drill.call(down)).resolves.toBe('none');
    });
  });

  it('has calls that found no place count for nothing when countRejections is false; they are answered', async () => {
    const drill = await Drill.of(
      hystrix({ countRejections: false, fallback: () => 'none', requestVolumeThreshold: 1 }),
    );
    drill.start(10);
    for (let call = 0; call < 100; call++) await expect(drill.call()).resolves.toBe('none');
    expect(drill.breaker).toMatchObject({ state: 'closed', counts: { failures: 0, ignored: 100 } });
    expect(drill.breaker.metrics.counts.rejected.bulkheadFull).toBe(100);
    await drill.advance(1_000); // the ten time out: that counts
    expect(drill.state).toBe('open');
  });

  it('has every error count all the same when countRejections is false', async () => {
    const drill = await Drill.of(hystrix({ countRejections: false, requestVolumeThreshold: 2 }));
    await outcome(drill.call(() => Promise.reject(new NotFoundException())));
    await outcome(drill.call(() => Promise.reject(new TypeError())));
    expect(drill.state).toBe('open');
  });

  it('lets calls wait for a place when there is a queue, as long as their timeout', async () => {
    const drill = await Drill.of(hystrix({ maxConcurrentRequests: 1, maxQueueSize: 1 }));
    const [work] = drill.start();
    const waiting = drill.call(() => 'waited');
    await expect(drill.call()).rejects.toBeInstanceOf(BulkheadFullError);
    work!.resolve(1);
    await expect(waiting).resolves.toBe('waited');
    drill.start();
    const late = outcome(drill.call());
    await drill.advance(1_000);
    expect((await late).error).toBeInstanceOf(TimeoutError);
  });

  it('looks back over another window, in other steps', async () => {
    const drill = await Drill.of(hystrix({ rollingWindow: '4s', rollingBuckets: 2 }));
    await drill.fail(10);
    await drill.advance(3_999);
    expect(drill.breaker.counts.failures).toBe(10);
    await drill.fail(9);
    await drill.advance(1);
    expect(drill.breaker.counts.failures).toBe(9);
    await drill.fail(11);
    expect(drill.state).toBe('open');
  });

  describe.each([
    ['10 by default', 10, {}],
    ['another number', 2, { fallbackMaxConcurrentRequests: 2 }],
  ])('lets so many fallbacks run at a time: %s', (_, limit, settings) => {
    it('a call beyond them keeps its error', async () => {
      const answers: Deferred<string>[] = [];
      const fallback = (): Promise<string> => {
        answers.push(deferred());
        return answers.at(-1)!.promise;
      };
      const drill = await Drill.of(hystrix({ ...settings, fallback }));
      const calls = Array.from({ length: limit }, () => drill.call(down));
      await settle();
      const { error } = await outcome(drill.call(() => Promise.reject(boom)));
      expect(error).toBe(boom);
      expect(answers).toHaveLength(limit);
      expect(of('rejected', drill.app.events)).toEqual([
        { type: 'rejected', name: 'books', policy: 'fallback', code: 'FALLBACK_FULL' },
      ]);
      answers[0]!.resolve('first');
      await expect(calls[0]).resolves.toBe('first');
      const next = drill.call(down);
      await settle();
      expect(answers).toHaveLength(limit + 1);
      for (const answer of answers) answer.resolve('none');
      await expect(next).resolves.toBe('none');
      await Promise.all(calls);
    });
  });

  it('has ten fallbacks at a time for rejections, too', async () => {
    const answer = deferred<string>();
    const drill = await Drill.of(hystrix({ fallback: () => answer.promise }));
    drill.app.registry.get('books').forceOpen();
    const calls = Array.from({ length: 11 }, () => outcome(drill.call()));
    expect((await calls[10])!.error).toBeInstanceOf(CircuitOpenError);
    answer.resolve('none');
    for (const call of calls.slice(0, 10)) await expect(call).resolves.toEqual({ value: 'none' });
  });
});

describe('hystrixGo()', () => {
  it('takes 0 for the default, as Go does', async () => {
    const drill = await Drill.of(
      hystrixGo({
        timeout: 0,
        maxConcurrentRequests: 0,
        requestVolumeThreshold: 0,
        sleepWindow: 0,
        errorPercentThreshold: 0,
      }),
    );
    const works = drill.start(10);
    await expect(drill.call()).rejects.toBeInstanceOf(BulkheadFullError);
    for (const work of works) work.resolve(1);
    await settle();
    expect(drill.command.snapshot()).toMatchObject({
      attemptTimeoutMs: 1_000,
      circuitBreaker: { limits: { minimumCalls: 20, openForMs: 5_000, failureRate: 0.495 } },
    });
  });

  it('has any number of fallbacks at a time', async () => {
    const answer = deferred<string>();
    const drill = await Drill.of(hystrixGo({ fallback: () => answer.promise }));
    drill.app.registry.get('books').forceOpen();
    const calls = Array.from({ length: 200 }, () => drill.call());
    answer.resolve('none');
    for (const call of calls) await expect(call).resolves.toBe('none');
  });
});
