import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
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
}

/** Remembers each outcome that it receives. */
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
    ['a promise', () => Promise.resolve(7), 7],
    ['a promise that fails', () => Promise.reject(new Error('x')), { error: new Error('x') }],
    ['a thenable', () => ({ then: (resolve: (value: number) => void) => resolve(7) }), 7],
    ['an object that throws', () => throwing, { error: new Error('no look') }],
  ])('with that of %s', async (_, result, expected) => {
    const work = new OpenWork();
    const waiter = new Outcomes();
    work.tell(waiter);
    work.resolve(result());
    await settle();
    expect(waiter.told).toEqual([expected]);
  });

  it('to its promise too', async () => {
    const work = new OpenWork();
    const waiter = new Outcomes();
    work.tell(waiter);
    const promise = work.then((value) => value);
    work.resolve(7);
    await expect(promise).resolves.toBe(7);
    await expect(work.then((value) => value)).resolves.toBe(7);
    expect(waiter.told).toEqual([7]);
  });

  it('to its promise also when its waiter throws', async () => {
    const work = new OpenWork();
    const waiter = new Outcomes();
    waiter.resolve = () => {
      throw new Error('a bug');
    };
    work.tell(waiter);
    const promise = work.then((value) => value);
    expect(() => work.resolve(7)).toThrow('a bug');
    await expect(promise).resolves.toBe(7);
  });

  it('that is an error a microtask later', async () => {
    const work = new OpenWork();
    const waiter = new Outcomes();
    work.tell(waiter);
    work.reject('down');
    expect(waiter.told).toEqual([]);
    await settle();
    expect(waiter.told).toEqual([{ error: 'down' }]);
  });
});

describe('a pipeline that tells a waiter', () => {
  const failing = (): never => {
    throw new Error('of the work');
  };

  function ran(work: () => unknown, stages: PromptToy[] = []) {
    const outcomes = new Outcomes();
    const call = new TestCall(work, { interruptible: true });
    call.callerContext = new AsyncResource('test');
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

  it.each([
    ['while it waits', (call: TestCall) => call],
    ['while the work begins', (call: TestCall) => (call.abort('gone'), call)],
  ])('tells once that it was interrupted %s, after the signal has aborted', async (_, begun) => {
    const work = new OpenWork();
    const seen: unknown[] = [];
    const call = new TestCall((itself) => (begun(itself), work), { interruptible: true });
    const { signal } = call;
    call.callerContext = new AsyncResource('test');
    call.stoppable = { stop: () => seen.push('stopped') };
    pipelineOf([]).runFor(call, {
      resolve: (result) => seen.push(result),
      reject: (error) => seen.push({ error, aborted: signal.aborted }),
    });
    call.abort('gone');
    expect(seen).toEqual(['stopped']);
    await settle();
    work.resolve('late');
    await settle();
    expect(seen).toEqual(['stopped', { error: 'gone', aborted: true }]);
  });

  it.each(['resolve', 'reject'] as const)(
    'goes on in the context of its caller, in whichever the work ends: %s',
    async (how) => {
      const context = new AsyncLocalStorage<string>();
      const work = new OpenWork();
      const seen: unknown[] = [];
      const see = (): void => void seen.push(context.getStore());
      const stage = new PromptToy('a', [], { exit: see, react: see });
      const call = new TestCall(() => work, { interruptible: true });
      context.run('the caller', () => {
        call.callerContext = new AsyncResource('test');
        pipelineOf([stage]).runFor(call, { resolve: see, reject: see });
      });
      context.run('another', () => work[how](7));
      await settle();
      expect(seen).toEqual(['the caller', 'the caller', 'the caller']);
    },
  );
});
