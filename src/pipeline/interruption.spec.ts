import { hostProcess } from '../../test/support/process.js';
import { StreamResult } from '../common/outcomes/stream-result.js';
import { ResilienceEvents } from '../telemetry/resilience-events.js';
import { Toy, failing, interruptible, pipelineOf, settled } from '../../test/support/stages.js';
import { TestCall, type Work } from '../../test/support/test-call.js';
import { deferred } from '../../test/support/wait.js';
import type { Call } from './call.js';
import { AGAIN, type Reaction } from './stage.js';

describe('the clean-up at the end of a call', () => {
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

  it.each([
    ['nobody listens', false],
    ['somebody listens', true],
  ])('wins over a result that has come, until the stages are left (%s)', async (_, listens) => {
    const slow = new Error('slow');
    const wins: boolean[] = [];
    for (let turns = 0; turns < 6; turns++) {
      const log: string[] = [];
      const result = deferred<string>();
      const call = interruptible(() => result.promise);
      const events = new ResilienceEvents();
      if (listens) events.subscribe(() => {});
      const done = pipelineOf([new Toy('limit', log)], events).run(call);
      await settled();
      result.resolve('result');
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const left = log.includes('exit limit');
      call.interrupt(0, slow);
      if (left) await expect(done).resolves.toBe('result');
      else await expect(done).rejects.toBe(slow);
      wins.push(!left);
    }
    expect(wins).toContain(true);
    expect(wins).toContain(false);
  });

  it('before a wait on the way in leaves nobody with the rejection of that wait', async () => {
    const gone = new Error('gone');
    const lost = jest.fn();
    hostProcess.on('unhandledRejection', lost);
    const call = interruptible(() => 'result');
    const ready = (): Promise<void> => {
      call.abort(gone);
      return Promise.reject(new Error('full'));
    };
    await expect(pipelineOf([new Toy('queue', [], { ready })]).run(call)).rejects.toBe(gone);
    await settled();
    hostProcess.off('unhandledRejection', lost);
    expect(lost).not.toHaveBeenCalled();
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
      hostProcess.on('unhandledRejection', unhandled);
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
        hostProcess.off('unhandledRejection', unhandled);
      }
    },
  );
});
