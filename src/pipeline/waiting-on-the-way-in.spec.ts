import { AsyncLocalStorage } from 'node:async_hooks';
import { Toy, failing, interruptible, pipelineOf, settled } from '../../test/support/stages.js';
import { TestCall, type Work } from '../../test/support/test-call.js';
import { deferred } from '../../test/support/wait.js';
import type { Call } from './call.js';
import { AGAIN, type Reaction } from './stage.js';

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
