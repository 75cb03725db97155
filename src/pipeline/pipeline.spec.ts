import { PromptToy, Toy, failing, pipelineOf, settled } from '../../test/support/stages.js';
import { TestCall, type Work } from '../../test/support/test-call.js';
import type { Call } from './call.js';
import { AGAIN, type Reaction, Stage } from './stage.js';

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
