import { AsyncLocalStorage } from 'node:async_hooks';
import { HttpException } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { StreamResult } from '../common/outcomes/stream-result.js';
import type { ResilienceEvent } from '../telemetry/events.js';
import { ResilienceEvents } from '../telemetry/resilience-events.js';
import { ManualClock } from '../testing/index.js';
import { TestCall, type Work } from '../../test/support/test-call.js';
import { type CallReport, ReportSink } from './call-report.js';
import type { Call } from './call.js';
import { Pipeline } from './pipeline.js';
import { AGAIN, type Reaction, Stage } from './stage.js';

interface Moments {
  readonly enter?: (call: Call) => void;
  readonly ready?: (call: Call) => Promise<void> | undefined;
  readonly exit?: (call: Call, held: string) => void;
  readonly react?: (call: Call) => Promise<Reaction> | void;
}

/** Writes down what is asked of it; single moments may be given. Never has a call wait on the way in. */
class PromptToy extends Stage<string> {
  constructor(
    readonly name: string,
    readonly log: string[],
    readonly moments: Moments = {},
  ) {
    super();
  }

  override enter(call: Call): string {
    this.log.push(`enter ${this.name}`);
    this.moments.enter?.(call);
    return `held by ${this.name}`;
  }

  override exit(call: Call, held: string): void {
    expect(held).toBe(`held by ${this.name}`);
    this.log.push(`exit ${this.name}`);
    this.moments.exit?.(call, held);
  }

  override react(call: Call, held: string): Promise<Reaction> | void {
    expect(held).toBe(`held by ${this.name}`);
    this.log.push(`react ${this.name}`);
    return this.moments.react?.(call);
  }
}

/** The same, but may have a call wait on the way in. */
class Toy extends PromptToy {
  override ready(call: Call, held: string): Promise<void> | undefined {
    expect(held).toBe(`held by ${this.name}`);
    return this.moments.ready?.(call);
  }
}

/** A promise that the test settles. */
function deferred<T = unknown>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
}

const pipelineOf = (stages: readonly Stage[], events = new ResilienceEvents()): Pipeline =>
  new Pipeline('Books.list', stages, events);

const failing = (): Promise<never> => Promise.reject(new Error('x'));

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const interruptible = (work: Work, clock?: Clock): TestCall =>
  new TestCall(work, { clock, interruptible: true });

describe('a pipeline without stages', () => {
  it('answers with the very result, or throws the very error', async () => {
    const result = {};
    const error = new Error('x');
    const pipeline = pipelineOf([]);
    await expect(pipeline.run(new TestCall(async () => result))).resolves.toBe(result);
    await expect(pipeline.run(new TestCall(() => result))).resolves.toBe(result);
    await expect(pipeline.run(new TestCall(() => Promise.reject(error)))).rejects.toBe(error);
    await expect(
      pipeline.run(
        new TestCall(() => {
          throw error;
        }),
      ),
    ).rejects.toBe(error);
  });
});

describe.each([
  ['stages that may have a call wait', Toy],
  ['stages that never do', PromptToy],
])('%s', (_which, Kind) => {
  it('are entered inwards, left outwards, each exactly once, with what they hold', async () => {
    const log: string[] = [];
    const stages = ['a', 'b', 'c'].map((name) => new Kind(name, log));
    const work = (): number => log.push('work');
    await pipelineOf(stages).run(new TestCall(work));
    expect(log).toEqual([
      'enter a',
      'enter b',
      'enter c',
      'work',
      'exit c',
      'react c',
      'exit b',
      'react b',
      'exit a',
      'react a',
    ]);
    expect(stages.map(({ level }) => level)).toEqual([0, 1, 2]);
  });

  it('that turn a call away are not left, those around them are', async () => {
    const log: string[] = [];
    const rejection = new Error('no');
    const enter = (): never => {
      throw rejection;
    };
    const call = new TestCall(() => 1);
    const stages = [new Kind('a', log), new Kind('b', log, { enter }), new Kind('c', log)];
    await expect(pipelineOf(stages).run(call)).rejects.toBe(rejection);
    expect(log).toEqual(['enter a', 'enter b', 'exit a', 'react a']);
    expect(call.started).toBe(0);
  });

  it('need implement nothing', async () => {
    class Nothing extends Stage {}
    await expect(pipelineOf([new Nothing()]).run(new TestCall(() => 1))).resolves.toBe(1);
  });

  it('see the outcome, and may replace it at once or later', async () => {
    const error = new Error('x');
    const seen: unknown[] = [];
    const see = (call: Call): void => void seen.push([call.failed, call.value, call.error]);
    const later = async (call: Call): Promise<void> => {
      await settled();
      call.fail(error);
    };
    const stages = [
      new Kind('a', [], { exit: see, react: (call) => call.succeed('from a') }),
      new Kind('b', [], { exit: see, react: later }),
      new Kind('c', [], { exit: see, react: (call) => call.succeed('from c') }),
    ];
    await expect(pipelineOf(stages).run(new TestCall(() => Promise.reject(error)))).resolves.toBe(
      'from a',
    );
    expect(seen).toEqual([
      [true, undefined, error],
      [false, 'from c', undefined],
      [true, undefined, error],
    ]);
  });

  it.each<[string, (error: Error) => Promise<Reaction>]>([
    ['rejects', (error) => Promise.reject(error)],
    [
      'throws',
      (error) => {
        throw error;
      },
    ],
  ])('fail the call with the error with which their reaction %s', async (_how, react) => {
    const error = new Error('x');
    const log: string[] = [];
    const stages = [new Kind('a', log), new Kind('b', log, { react: () => react(error) })];
    await expect(pipelineOf(stages).run(new TestCall(() => 1))).rejects.toBe(error);
    expect(log.slice(-2)).toEqual(['exit a', 'react a']);
  });

  it('that ask for it have what is inside them run again, and stay entered', async () => {
    const log: string[] = [];
    const again = async (call: Call): Promise<Reaction> => (call.failed ? AGAIN : undefined);
    const stages = [
      new Kind('a', log),
      new Kind('again', log, { react: again }),
      new Kind('c', log),
    ];
    const attempts: number[] = [];
    const work: Work = (call) => {
      attempts.push(call.attempt);
      if (call.attempt < 3) throw new Error('not yet');
      return 'done';
    };
    await expect(pipelineOf(stages).run(new TestCall(work))).resolves.toBe('done');
    expect(attempts).toEqual([1, 2, 3]);
    expect(log).toEqual([
      'enter a',
      'enter again',
      'enter c',
      'exit c',
      'react c',
      'exit again',
      'react again',
      'enter c',
      'exit c',
      'react c',
      'exit again',
      'react again',
      'enter c',
      'exit c',
      'react c',
      'exit again',
      'react again',
      'exit a',
      'react a',
    ]);
  });

  it('may turn away a later attempt', async () => {
    let entered = 0;
    const rejection = new Error('no');
    const enter = (): void => {
      if (++entered === 2) throw rejection;
    };
    const again = async (call: Call): Promise<Reaction> => (call.attempt === 1 ? AGAIN : undefined);
    const log: string[] = [];
    const call = new TestCall(() => 1);
    const stages = [
      new Kind('a', log, { react: again }),
      new Kind('b', log),
      new Kind('c', log, { enter }),
    ];
    await expect(pipelineOf(stages).run(call)).rejects.toBe(rejection);
    expect(call.started).toBe(1);
    expect(log.slice(-5)).toEqual(['enter c', 'exit b', 'react b', 'exit a', 'react a']);
  });

  it('let go of the call when it is over, however it ends', async () => {
    for (const work of [() => 1, failing]) {
      const call = new TestCall(work);
      const finish = jest.spyOn(call, 'finish');
      await pipelineOf([new Kind('a', [])])
        .run(call)
        .catch(() => {});
      expect(finish).toHaveBeenCalledTimes(1);
    }
  });
});

describe('a stage with a queue', () => {
  it('lets a call wait between enter and what is inside', async () => {
    const place = deferred<void>();
    const log: string[] = [];
    const stages = [new Toy('queue', log, { ready: () => place.promise }), new Toy('b', log)];
    const done = pipelineOf(stages).run(new TestCall(() => 1));
    await settled();
    expect(log).toEqual(['enter queue']);
    place.resolve();
    await expect(done).resolves.toBe(1);
    expect(log).toEqual([
      'enter queue',
      'enter b',
      'exit b',
      'react b',
      'exit queue',
      'react queue',
    ]);
  });

  it('may turn the call away after the wait, and is left', async () => {
    const rejection = new Error('full');
    const log: string[] = [];
    const call = new TestCall(() => 1);
    const stage = new Toy('queue', log, { ready: () => Promise.reject(rejection) });
    await expect(pipelineOf([stage]).run(call)).rejects.toBe(rejection);
    expect(log).toEqual(['enter queue', 'exit queue', 'react queue']);
    expect(call.started).toBe(0);
  });

  describe.each<[string, (work: Work) => TestCall]>([
    ['that nothing can stop', (work) => new TestCall(work)],
    ['that can be stopped', (work) => interruptible(work)],
  ])('has a call %s', (_which, callOf) => {
    it('go on with its own result or error', async () => {
      const result = {};
      const error = new Error('x');
      const run = (work: Work): Promise<unknown> =>
        pipelineOf([new Toy('queue', [], { ready: settled })]).run(callOf(work));
      await expect(run(() => result)).resolves.toBe(result);
      await expect(run(async () => result)).resolves.toBe(result);
      await expect(run(() => Promise.reject(error))).rejects.toBe(error);
      await expect(
        run(() => {
          throw error;
        }),
      ).rejects.toBe(error);
    });

    it('wait in one after the other', async () => {
      const places = [deferred<void>(), deferred<void>()];
      const log: string[] = [];
      const stages = places.map(({ promise }, i) => new Toy(`${i}`, log, { ready: () => promise }));
      const call = callOf(() => log.push('work'));
      const done = pipelineOf([...stages, new Toy('inside', log)]).run(call);
      await settled();
      expect(log).toEqual(['enter 0']);
      places[0]!.resolve();
      await settled();
      expect(log).toEqual(['enter 0', 'enter 1']);
      places[1]!.resolve();
      await done;
      expect(log).toEqual([
        'enter 0',
        'enter 1',
        'enter inside',
        'work',
        'exit inside',
        'react inside',
        'exit 1',
        'react 1',
        'exit 0',
        'react 0',
      ]);
    });

    it('wait again in each attempt', async () => {
      const log: string[] = [];
      const again = async ({ failed }: Call): Promise<Reaction> => (failed ? AGAIN : undefined);
      const stages = [
        new Toy('again', [], { react: again }),
        new Toy('queue', log, { ready: () => settled().then(() => void log.push('ready')) }),
      ];
      const work: Work = ({ attempt }) => {
        log.push('work');
        if (attempt < 3) throw new Error('not yet');
      };
      await pipelineOf(stages).run(callOf(work));
      const attempt = ['enter queue', 'ready', 'work', 'exit queue', 'react queue'];
      expect(log).toEqual([...attempt, ...attempt, ...attempt]);
    });

    it('leave it when a stage further in turns it away after the wait', async () => {
      const rejection = new Error('no');
      const log: string[] = [];
      const enter = (): never => {
        throw rejection;
      };
      const call = callOf(() => 1);
      const stages = [
        new Toy('a', log),
        new Toy('queue', log, { ready: settled }),
        new Toy('b', log, { enter }),
        new Toy('c', log),
      ];
      await expect(pipelineOf(stages).run(call)).rejects.toBe(rejection);
      expect(log).toEqual([
        'enter a',
        'enter queue',
        'enter b',
        'exit queue',
        'react queue',
        'exit a',
        'react a',
      ]);
      expect(call.started).toBe(0);
    });

    it('go on in its own async context, whoever ends the wait', async () => {
      const user = new AsyncLocalStorage<string>();
      const place = deferred<void>();
      const seen: unknown[] = [];
      const look = (): void => void seen.push(user.getStore());
      const stages = [
        new Toy('queue', [], { ready: () => place.promise, exit: look }),
        new Toy('inside', [], { enter: look }),
      ];
      const done = user.run('own', () => pipelineOf(stages).run(callOf(look)));
      user.run('of somebody else', () => place.resolve());
      await done;
      expect(seen).toEqual(['own', 'own', 'own']);
    });

    it('let go when it is over, however the wait ends', async () => {
      for (const ready of [settled, failing]) {
        const call = callOf(() => 1);
        const finish = jest.spyOn(call, 'finish');
        await pipelineOf([new Toy('queue', [], { ready })])
          .run(call)
          .catch(() => {});
        expect(finish).toHaveBeenCalledTimes(1);
      }
    });
  });

  it('is left at once when the caller goes during the wait, which then changes nothing', async () => {
    const place = deferred<void>();
    const log: string[] = [];
    const gone = new Error('gone');
    const call = interruptible(() => 1);
    const done = pipelineOf([new Toy('queue', log, { ready: () => place.promise })]).run(call);
    await settled();
    call.abort(gone);
    await expect(done).rejects.toBe(gone);
    expect(log).toEqual(['enter queue', 'exit queue']);
    place.reject(new Error('late'));
    await settled();
    expect(call.started).toBe(0);
  });

  it('gives up one attempt when a stage outside of it interrupts', async () => {
    const slow = new Error('slow');
    const places = [deferred<void>(), deferred<void>()];
    const log: string[] = [];
    const call = interruptible(() => 'done');
    const again = async (): Promise<Reaction> => (call.failed ? AGAIN : undefined);
    const stages = [
      new Toy('again', log, { react: again }),
      new Toy('limit', log),
      new Toy('queue', log, { ready: () => places[call.attempt - 1]!.promise }),
    ];
    const done = pipelineOf(stages).run(call);
    await settled();
    call.interrupt(1, slow);
    await settled();
    expect(call.attempt).toBe(2);
    places[1]!.resolve();
    await expect(done).resolves.toBe('done');
    expect(log.filter((line) => line.endsWith('queue'))).toEqual([
      'enter queue',
      'exit queue',
      'enter queue',
      'exit queue',
      'react queue',
    ]);
    expect(call.started).toBe(1);
  });

  it('starts no work once the caller has gone, at whatever moment after the place came free', async () => {
    for (let turns = 0; turns < 8; turns++) {
      const place = deferred<void>();
      const gone = new Error('gone');
      const call = interruptible(() => new Promise(() => {}));
      const done = pipelineOf([new Toy('queue', [], { ready: () => place.promise })]).run(call);
      await settled();
      place.resolve();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const started = call.started;
      call.abort(gone);
      await expect(done).rejects.toBe(gone);
      expect(call.started).toBe(started);
    }
  });

  it('starts no work when a stage on the way in has ended the call', async () => {
    const gone = new Error('gone');
    const log: string[] = [];
    const call = interruptible(() => 1);
    const enter = (): void => call.abort(gone);
    await expect(pipelineOf([new Toy('a', log, { enter })]).run(call)).rejects.toBe(gone);
    expect(call.started).toBe(0);
    expect(log).toEqual(['enter a', 'exit a']);
  });
});

describe('what is to be done at the end of a call', () => {
  class Stream extends StreamResult {}

  const gone = new Error('gone');

  it.each<[string, Work]>([
    ['has succeeded', () => 1],
    ['has failed', failing],
    ['has been stopped', (call) => call.abort(gone)],
  ])('is done in its order, once, when it %s and has left all stages', async (_how, work) => {
    const log: string[] = [];
    const call = interruptible(work);
    const enter = (): void => {
      call.atEnd(() => log.push('first'));
      call.atEnd(() => log.push('second'));
    };
    await pipelineOf([new Toy('a', log, { enter })])
      .run(call)
      .catch(() => {});
    call.finish();
    expect(log.filter((line) => !line.startsWith('react'))).toEqual([
      'enter a',
      'exit a',
      'first',
      'second',
    ]);
  });

  it('is done after all attempts', async () => {
    const ended: number[] = [];
    const again = async (call: Call): Promise<Reaction> => (call.failed ? AGAIN : undefined);
    const enter = (call: Call): void => call.atEnd(() => ended.push(call.attempt));
    const stages = [new Toy('again', [], { react: again }), new Toy('a', [], { enter })];
    const work: Work = ({ attempt }) => {
      expect(ended).toEqual([]);
      if (attempt < 3) throw new Error('not yet');
    };
    await pipelineOf(stages).run(new TestCall(work));
    expect(ended).toEqual([3, 3, 3]);
  });

  it.each<[string, (work: Work) => TestCall]>([
    ['that nothing can stop', (work) => new TestCall(work)],
    ['that can be stopped', (work) => interruptible(work)],
  ])('waits for a result that goes on, in a call %s', async (_which, callOf) => {
    const stream = new Stream();
    const call = callOf(() => stream);
    const ending = jest.fn();
    const exit = (): void => call.atEnd(ending);
    await expect(pipelineOf([new Toy('a', [], { exit })]).run(call)).resolves.toBe(stream);
    await settled();
    expect(ending).not.toHaveBeenCalled();
    call.finish();
    expect(ending).toHaveBeenCalledTimes(1);
  });

  it('does not wait for a result that goes on when a stage puts another one in its place', async () => {
    const call = new TestCall(() => new Stream());
    const ending = jest.fn();
    const stage = new Toy('a', [], {
      exit: () => call.atEnd(ending),
      react: () => call.succeed('other'),
    });
    await expect(pipelineOf([stage]).run(call)).resolves.toBe('other');
    expect(ending).toHaveBeenCalledTimes(1);
  });

  it('does not wait for a result that goes on when the call is stopped as that comes', async () => {
    const ending = jest.fn();
    const call = interruptible((self) => {
      self.abort(gone);
      return new Stream();
    });
    call.atEnd(ending);
    await expect(pipelineOf([new Toy('a', [])]).run(call)).rejects.toBe(gone);
    expect(ending).toHaveBeenCalledTimes(1);
  });
});

describe('an interruption', () => {
  it('ends a call that works, with its error; stages inside the level only exit', async () => {
    const log: string[] = [];
    const slow = new Error('slow');
    const call = interruptible(() => new Promise(() => {}));
    const stages = ['a', 'limit', 'c', 'd'].map((name) => new Toy(name, log));
    const done = pipelineOf(stages).run(call);
    call.interrupt(1, slow);
    await expect(done).rejects.toBe(slow);
    expect(log.slice(4)).toEqual([
      'exit d',
      'exit c',
      'exit limit',
      'react limit',
      'exit a',
      'react a',
    ]);
  });

  it('from outside ends the whole call: no stage reacts', async () => {
    const log: string[] = [];
    const gone = new Error('gone');
    const call = interruptible(() => new Promise(() => {}));
    const done = pipelineOf([new Toy('a', log), new Toy('b', log)]).run(call);
    call.abort(gone);
    await expect(done).rejects.toBe(gone);
    expect(log).toEqual(['enter a', 'enter b', 'exit b', 'exit a']);
    expect(call.cancelled).toBe(true);
  });

  it('before the call begins lets it begin nothing', async () => {
    const log: string[] = [];
    const call = interruptible(() => 1);
    call.abort(new Error('gone'));
    await expect(pipelineOf([new Toy('a', log)]).run(call)).rejects.toThrow('gone');
    expect(log).toEqual([]);
    expect(call.started).toBe(0);
  });

  it('ends a reaction that waits, and no further attempt is made', async () => {
    const gone = new Error('gone');
    const wait = deferred<Reaction>();
    const call = interruptible(() => Promise.reject(new Error('x')));
    const done = pipelineOf([
      new Toy('a', []),
      new Toy('again', [], { react: () => wait.promise }),
    ]).run(call);
    await settled();
    call.abort(gone);
    await expect(done).rejects.toBe(gone);
    wait.resolve(AGAIN);
    await settled();
    expect(call.started).toBe(1);
  });

  it('just after a reaction has asked for another attempt lets none begin', async () => {
    const gone = new Error('gone');
    const wait = deferred<Reaction>();
    const call = interruptible(() => Promise.reject(new Error('x')));
    const done = pipelineOf([new Toy('again', [], { react: () => wait.promise })]).run(call);
    await settled();
    wait.resolve(AGAIN);
    await Promise.resolve();
    call.abort(gone);
    await expect(done).rejects.toBe(gone);
    expect(call.started).toBe(1);
  });

  it('wins over a result that came in the same moment', async () => {
    const slow = new Error('slow');
    const call = interruptible((self) => {
      self.interrupt(0, slow);
      return 'result';
    });
    await expect(pipelineOf([new Toy('limit', [])]).run(call)).rejects.toBe(slow);
  });

  it('further out wins over one further in, and not the other way round', async () => {
    const inner = new Error('inner');
    const outer = new Error('outer');
    const run = async (...order: [number, Error][]): Promise<string[]> => {
      const log: string[] = [];
      const call = interruptible(() => new Promise(() => {}));
      const stages = ['total', 'again', 'attempt'].map((name) => new Toy(name, log));
      const done = pipelineOf(stages).run(call);
      for (const [level, error] of order) call.interrupt(level, error);
      await expect(done).rejects.toBe(outer);
      return log.filter((line) => line.startsWith('react'));
    };
    expect(await run([2, inner], [0, outer])).toEqual(['react total']);
    expect(await run([0, outer], [2, inner])).toEqual(['react total']);
  });

  it('after the end changes nothing', async () => {
    const call = interruptible((self) => self.signal);
    const signal = (await pipelineOf([]).run(call)) as AbortSignal;
    call.abort(new Error('gone'));
    expect(call.interrupted).toBe(false);
    expect(signal.aborted).toBe(false);
  });

  it('shows exit the work that goes on, and drops what becomes of it', async () => {
    const work = deferred<string>();
    let abandoned: unknown = 'not asked';
    const exit = (call: Call): void => void (abandoned = call.unfinishedWork(0));
    const call = interruptible(() => work.promise);
    const done = pipelineOf([new Toy('limit', []), new Toy('places', [], { exit })]).run(call);
    call.interrupt(0, new Error('slow'));
    await expect(done).rejects.toThrow('slow');
    work.resolve('its result');
    await expect(abandoned).resolves.toBeUndefined();
  });

  it('shows exit no abandoned work when the work has ended', async () => {
    const seen: unknown[] = [];
    const exit = (call: Call): void => void seen.push(call.unfinishedWork(0));
    const again = async (call: Call): Promise<Reaction> => (call.failed ? AGAIN : undefined);
    const call = interruptible((self) => (self.attempt === 1 ? new Promise(() => {}) : 1));
    const stages = [
      new Toy('again', [], { react: again }),
      new Toy('limit', []),
      new Toy('places', [], { exit }),
    ];
    const done = pipelineOf(stages).run(call);
    call.interrupt(1, new Error('slow'));
    await done;
    expect(seen).toEqual([expect.any(Promise), undefined]);
  });

  it.each(['in the work', 'in a wait for a place', 'in a reaction'])(
    'leaves no unhandled rejection behind when what it ended %s rejects later',
    async (where) => {
      const unhandled = jest.fn();
      process.on('unhandledRejection', unhandled);
      try {
        const late = deferred<never>();
        const hang = {
          'in the work': {},
          'in a wait for a place': { ready: () => late.promise },
          'in a reaction': { react: () => late.promise },
        };
        const events = new ResilienceEvents();
        events.subscribe(() => {});
        const call = interruptible(() => (where === 'in the work' ? late.promise : 1));
        const done = pipelineOf([new Toy('a', [], hang[where as 'in the work'])], events).run(call);
        await settled();
        call.abort(new Error('gone'));
        await expect(done).rejects.toThrow('gone');
        late.reject(new Error('late'));
        await settled();
        await settled();
        expect(unhandled).not.toHaveBeenCalled();
      } finally {
        process.off('unhandledRejection', unhandled);
      }
    },
  );
});

describe('the time of a call', () => {
  it('is read once between two waits', async () => {
    const clock = new ManualClock();
    const now = jest.spyOn(clock, 'now');
    const look = (call: Call): void => void call.now();
    const stages = ['a', 'b', 'c'].map((name) => new Toy(name, [], { enter: look, exit: look }));
    await pipelineOf(stages).run(new TestCall(() => Promise.resolve(1), { clock }));
    expect(now).toHaveBeenCalledTimes(2);
  });

  it('goes on during waits for a place, work and reactions', async () => {
    const clock = new ManualClock();
    const times: number[] = [];
    const look = (call: Call): void => void times.push(call.now());
    const wait = (ms: number): Promise<void> =>
      new Promise((resolve) => void clock.setTimer(resolve, ms));
    const stages = [
      new Toy('a', [], { enter: look, exit: look }),
      new Toy('b', [], {
        ready: () => wait(10),
        exit: look,
        react: async () => {
          await wait(1_000);
        },
      }),
      new Toy('c', [], { enter: look }),
    ];
    const done = pipelineOf(stages).run(new TestCall(() => wait(100), { clock }));
    await clock.advance(5_000);
    await done;
    expect(times).toEqual([0, 10, 110, 1_110]);
  });
});

describe('events', () => {
  function listening(): { events: ResilienceEvents; told: ResilienceEvent[] } {
    const events = new ResilienceEvents();
    const told: ResilienceEvent[] = [];
    events.subscribe((event) => void told.push(event));
    return { events, told };
  }

  it('tell of each attempt: its outcome and how long it took', async () => {
    const clock = new ManualClock();
    const { events, told } = listening();
    const again = async (call: Call): Promise<Reaction> => (call.attempt < 4 ? AGAIN : undefined);
    const errors = [new Error('x'), new HttpException('x', 404)];
    const work: Work = ({ attempt }) =>
      new Promise((resolve, reject) => {
        clock.setTimer(
          () => (attempt < 3 ? reject(errors[attempt - 1]!) : resolve(1)),
          100 * attempt,
        );
      });
    const done = pipelineOf([new Toy('again', [], { react: again })], events).run(
      new TestCall(work, { clock }),
    );
    await clock.advance(10_000);
    await done;
    const event = { type: 'attempt', name: 'Books.list' };
    expect(told).toEqual([
      { ...event, attempt: 1, outcome: 'failure', durationMs: 100, error: errors[0] },
      { ...event, attempt: 2, outcome: 'success', durationMs: 200, error: errors[1] },
      { ...event, attempt: 3, outcome: 'success', durationMs: 300 },
      { ...event, attempt: 4, outcome: 'success', durationMs: 400 },
    ]);
  });

  it('tell of no attempt when the work never began', async () => {
    const { events, told } = listening();
    const enter = (): never => {
      throw new Error('no');
    };
    await expect(
      pipelineOf([new Toy('a', [], { enter })], events).run(new TestCall(() => 1)),
    ).rejects.toThrow('no');
    expect(told).toEqual([]);
  });

  it.each([
    ['success', undefined],
    ['failure', new Error('x')],
    ['success', new HttpException('x', 404)],
    ['ignored', new TypeError('x')],
  ])('tell of given-up work that ends later as %s', async (outcome, error) => {
    const clock = new ManualClock();
    const { events, told } = listening();
    const work = deferred();
    const call = interruptible(() => work.promise, clock);
    const done = pipelineOf([new Toy('limit', [])], events).run(call);
    await clock.advance(100);
    call.interrupt(0, new Error('slow'));
    await expect(done).rejects.toThrow('slow');
    const given = told.splice(0);
    expect(given).toEqual([expect.objectContaining({ type: 'attempt', durationMs: 100 })]);
    await clock.advance(50);
    if (error) work.reject(error);
    else work.resolve(1);
    await settled();
    expect(told).toEqual([
      { type: 'late', name: 'Books.list', attempt: 1, outcome, durationMs: 150 },
    ]);
  });

  it('tell of an attempt whose caller has gone that it says nothing', async () => {
    const { events, told } = listening();
    const gone = new Error('gone');
    const call = interruptible(() => new Promise(() => {}));
    call.reports = new ReportSink();
    const done = pipelineOf([new Toy('a', [])], events).run(call);
    call.abort(gone);
    await expect(done).rejects.toBe(gone);
    const event = { type: 'attempt', name: 'Books.list', attempt: 1, durationMs: 0 };
    expect(told).toEqual([{ ...event, outcome: 'ignored', error: gone }]);
    expect(call.reports.calls[0]!.outcome).toBe('ignored');
  });

  it('tell a listener who comes late nothing of attempts whose beginning it missed', async () => {
    const events = new ResilienceEvents();
    const told: ResilienceEvent[] = [];
    const works = [deferred(), deferred()];
    const calls = works.map(({ promise }) => interruptible(() => promise));
    const done = calls.map((call) => pipelineOf([new Toy('limit', [])], events).run(call));
    await settled();
    events.subscribe((event) => void told.push(event));
    calls[0]!.interrupt(0, new Error('slow'));
    for (const { resolve } of works) resolve(1);
    await Promise.allSettled(done);
    await settled();
    expect(told).toEqual([]);
  });

  it('are not made, and the clock is not read, when nobody listens', async () => {
    const clock = new ManualClock();
    const now = jest.spyOn(clock, 'now');
    const events = new ResilienceEvents();
    const emit = jest.spyOn(events, 'emit');
    await pipelineOf([new Toy('a', [])], events).run(new TestCall(() => 1, { clock }));
    expect(emit).not.toHaveBeenCalled();
    expect(now).not.toHaveBeenCalled();
  });
});

describe('a report', () => {
  async function reportOf(work: Work, stages: readonly Stage[] = []): Promise<CallReport> {
    const clock = new ManualClock();
    const call = new TestCall(work, { clock });
    call.reports = new ReportSink();
    const run = pipelineOf(stages)
      .run(call)
      .catch(() => {});
    await clock.advance(1_000);
    await run;
    expect(call.reports.calls).toHaveLength(1);
    return call.reports.calls[0]!;
  }

  it('tells how the call went', async () => {
    expect(await reportOf(() => 1)).toEqual({
      name: 'Books.list',
      attempts: 1,
      outcome: 'success',
      source: 'live',
      ageMs: undefined,
      durationMs: 0,
    });
    expect(await reportOf(() => Promise.reject(new Error('x')))).toMatchObject({
      outcome: 'failure',
    });
    expect(await reportOf(() => Promise.reject(new HttpException('x', 404)))).toMatchObject({
      outcome: 'success',
    });
    expect(await reportOf(() => Promise.reject(new TypeError('x')))).toMatchObject({
      outcome: 'ignored',
    });
  });

  it('tells the attempts, the source of the answer, its age and the duration of the whole', async () => {
    const react = async (call: Call): Promise<Reaction> => {
      await new Promise<void>((resolve) => void (call as TestCall)['clock'].setTimer(resolve, 250));
      if (call.attempt === 1) return AGAIN;
      call.source = 'stale';
      call.ageMs = 40;
      call.succeed('old');
    };
    const report = await reportOf(
      () => Promise.reject(new Error('x')),
      [new Toy('a', [], { react })],
    );
    expect(report).toMatchObject({
      attempts: 2,
      outcome: 'success',
      source: 'stale',
      ageMs: 40,
      durationMs: 500,
    });
  });
});
