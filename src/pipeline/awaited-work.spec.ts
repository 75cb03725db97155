import { AsyncLocalStorage } from 'node:async_hooks';
import { PromptToy, pipelineOf } from '../../test/support/stages.js';
import { TestCall } from '../../test/support/test-call.js';
import { settle } from '../../test/support/wait.js';
import { AwaitedWork } from './awaited-work.js';
import { AGAIN } from './stage.js';
import type { Waiter } from './waiter.js';

/** Work that the test ends. */
class OpenWork extends AwaitedWork {
  override resolve(result: unknown): void {
    super.resolve(result);
  }
  override reject(error: unknown): void {
    super.reject(error);
  }
  override giveUp(error: unknown): void {
    super.giveUp(error);
  }
}

/** Remembers each outcome that it is told. */
class Outcomes implements Waiter {
  readonly told: unknown[] = [];
  resolve(result: unknown): void {
    this.told.push(result);
  }
  reject(error: unknown): void {
    this.told.push({ error });
  }
}

const throwing = {
  get then(): never {
    throw new Error('no look');
  },
};

describe('work tells its end', () => {
  it('in the same turn, to the last waiter alone, once', () => {
    const work = new OpenWork();
    const [first, last] = [new Outcomes(), new Outcomes()];
    work.tell(first);
    work.tell(last);
    work.resolve(1);
    work.reject(2);
    expect([first.told, last.told]).toEqual([[], [1]]);
    work.tell(first);
    expect(first.told).toEqual([1]);
  });

  it.each([
    ['a promise', Promise.resolve(7), 7],
    ['a promise that fails', Promise.reject(new Error('x')), { error: new Error('x') }],
    ['a thenable', { then: (resolve: (value: number) => void) => resolve(7) }, 7],
    ['an object that throws', throwing, { error: new Error('no look') }],
  ])('with that of %s', async (_, result, expected) => {
    const work = new OpenWork();
    const waiter = new Outcomes();
    work.tell(waiter);
    work.resolve(result);
    await settle();
    expect(waiter.told).toEqual([expected]);
  });

  it('to its promise too, also after its waiter has given up', async () => {
    const work = new OpenWork();
    const waiter = new Outcomes();
    work.tell(waiter);
    const promise = work.then((value) => value);
    work.giveUp('gone');
    expect(waiter.told).toEqual([]);
    await settle();
    expect(waiter.told).toEqual([{ error: 'gone' }]);
    work.resolve('late');
    await expect(promise).resolves.toBe('late');
    expect(waiter.told).toEqual([{ error: 'gone' }]);
  });
});

describe('a pipeline that tells a waiter', () => {
  const failing = (): never => {
    throw new Error('of the work');
  };

  function ran(work: () => unknown, stages: PromptToy[] = []) {
    const outcomes = new Outcomes();
    const call = new TestCall(work, { interruptible: true });
    pipelineOf(stages).runFor(call, outcomes);
    return { call, ...outcomes };
  }

  it('does so in the turn in which the work ends', () => {
    const work = new OpenWork();
    const { told } = ran(() => work);
    expect(told).toEqual([]);
    work.resolve(7);
    expect(told).toEqual([7]);
  });

  it.each([
    ['a result', () => 7, 7],
    ['a promise', () => Promise.resolve(7), 7],
    ['an error', failing, { error: new Error('of the work') }],
    ['a rejection', async () => failing(), { error: new Error('of the work') }],
  ])('does so for %s', async (_, work, expected) => {
    const { told } = ran(work);
    await settle();
    expect(told).toEqual([expected]);
  });

  it('tells the error of the work', async () => {
    const work = new OpenWork();
    const { told } = ran(() => work);
    work.reject('down');
    await settle();
    expect(told).toEqual([{ error: 'down' }]);
  });

  it('runs the work again for a stage that asks for it', async () => {
    const works = [new OpenWork(), new OpenWork()];
    let runs = 0;
    const retrying = new PromptToy('retry', [], {
      react: (call) => (call.failed ? Promise.resolve(AGAIN) : undefined),
    });
    const { told } = ran(() => works[runs++], [retrying]);
    works[0]!.reject('down');
    await settle();
    works[1]!.resolve('up');
    await settle();
    expect(told).toEqual(['up']);
  });

  it('does so once, after the signal of an interrupted call has aborted, in the context of the work', async () => {
    const context = new AsyncLocalStorage<string>();
    const work = new OpenWork();
    const seen: unknown[] = [];
    const call = new TestCall(() => work, { interruptible: true });
    pipelineOf([]).runFor(call, {
      resolve: (result) => seen.push(result),
      reject: (error) => seen.push({ error, aborted: signal.aborted, in: context.getStore() }),
    });
    const { signal } = call;
    call.onInterrupt = (error) => context.run('of the work', () => work.giveUp(error));
    call.abort('gone');
    expect(seen).toEqual([]);
    await settle();
    expect(seen).toEqual([{ error: 'gone', aborted: true, in: 'of the work' }]);
    work.resolve('late');
    await settle();
    expect(seen).toHaveLength(1);
  });
});
