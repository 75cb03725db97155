import { Injectable } from '@nestjs/common';
import { Observable, lastValueFrom } from 'rxjs';
import { Bulkhead, BulkheadRegistry, Timeout } from '../src/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { problemsOf } from './support/commands.js';
import { deferred, outcome, settle } from './support/wait.js';

afterEach(closeAll);

@Injectable()
class Work {
  gate = deferred();
  inside: Promise<unknown> | undefined = undefined;

  @Bulkhead({ name: 'again', maxConcurrent: 1, maxQueue: 5, reentrant: true })
  async outer(times: number): Promise<number> {
    const inner = await Promise.all(Array.from({ length: times }, () => this.inner()));
    return inner.length;
  }

  @Bulkhead({ name: 'again' })
  async inner(): Promise<unknown> {
    await this.gate.promise;
    return 'inner';
  }

  @Bulkhead({ name: 'again' })
  async leave(): Promise<void> {
    this.inside = this.gate.promise.then(() => outcome(this.quick()));
  }

  @Bulkhead({ name: 'again' })
  async quick(): Promise<string> {
    return 'quick';
  }

  @Bulkhead({ name: 'again' })
  @Timeout('1s')
  async slow(): Promise<unknown> {
    await this.gate.promise;
    this.inside = outcome(this.quick());
    return this.inside;
  }

  @Bulkhead({ name: 'again' })
  stream(): Observable<unknown> {
    return new Observable((subscriber) => {
      subscriber.next('first');
      void this.gate.promise.then(async () => {
        subscriber.next(await outcome(this.quick()));
        subscriber.complete();
      });
    });
  }

  @Bulkhead({ name: 'once', maxConcurrent: 1 })
  async trap(): Promise<unknown> {
    return outcome(this.trapped());
  }

  @Bulkhead({ name: 'once' })
  async trapped(): Promise<void> {}
}

async function harness(): Promise<Booted & { work: Work; running: (name?: string) => unknown }> {
  const booted = await boot({ providers: [Work] });
  const bulkheads = booted.app.get(BulkheadRegistry);
  return {
    ...booted,
    work: booted.app.get(Work),
    running: (name = 'again') => {
      const { running, waiting } = bulkheads.get(name);
      return { running, waiting };
    },
  };
}

describe('a reentrant bulkhead', () => {
  it('gives calls inside one that holds a place no second place', async () => {
    const { work, running } = await harness();
    const done = work.outer(3);
    await settle();
    expect(running()).toEqual({ running: 1, waiting: 0 });
    work.gate.resolve();
    await expect(done).resolves.toBe(3);
    expect(running()).toEqual({ running: 0, waiting: 0 });
  });

  it('lets calls from elsewhere wait for a place', async () => {
    const { work, running } = await harness();
    const done = work.outer(1);
    const other = work.quick();
    const third = work.outer(2);
    await settle();
    expect(running()).toEqual({ running: 1, waiting: 2 });
    work.gate.resolve();
    await expect(Promise.all([done, other, third])).resolves.toEqual([1, 'quick', 2]);
    expect(running()).toEqual({ running: 0, waiting: 0 });
  });

  it('treats a call that is made after the place was given back like any other', async () => {
    const { work, running } = await harness();
    await work.leave();
    const hold = deferred();
    const other = work.outer(0).then(() => hold.promise);
    const blocker = work.inner();
    work.gate.resolve();
    await expect(work.inside).resolves.toEqual({ value: 'quick' });
    hold.resolve();
    await Promise.all([other, blocker]);
    expect(running()).toEqual({ running: 0, waiting: 0 });
  });

  it('counts abandoned work as inside, as long as it holds its place', async () => {
    const { work, running, clock } = await harness();
    const slow = outcome(work.slow());
    await clock.advance(1_000);
    await expect(slow).resolves.toEqual({
      error: expect.objectContaining({ code: 'TIMEOUT' }) as unknown,
    });
    expect(running()).toEqual({ running: 1, waiting: 0 });
    work.gate.resolve();
    await settle();
    await expect(work.inside).resolves.toEqual({ value: 'quick' });
    expect(running()).toEqual({ running: 0, waiting: 0 });
  });

  it('holds its place, with the calls inside, until a stream has ended', async () => {
    const { work, running } = await harness();
    const last = lastValueFrom(work.stream());
    await settle();
    expect(running()).toEqual({ running: 1, waiting: 0 });
    work.gate.resolve();
    await expect(last).resolves.toEqual({ value: 'quick' });
    await settle();
    expect(running()).toEqual({ running: 0, waiting: 0 });
  });

  it('is opt-in', async () => {
    const { work, running } = await harness();
    await expect(work.trap()).resolves.toEqual({
      error: expect.objectContaining({ code: 'BULKHEAD_FULL' }) as unknown,
    });
    expect(running('once')).toEqual({ running: 0, waiting: 0 });
  });

  it('is reentrant for all its users, who have to agree', async () => {
    class One {
      @Bulkhead({ name: 'shared', reentrant: true })
      async a(): Promise<void> {}

      @Bulkhead({ name: 'shared', reentrant: false })
      async b(): Promise<void> {}

      @Bulkhead({ name: 'bad', reentrant: 'yes' as never })
      async c(): Promise<void> {}
    }
    const problems = await problemsOf({ providers: [One] });
    expect(problems).toEqual(
      [
        expect.stringContaining(`reentrant is 'yes'; use true or false`),
        expect.stringContaining('reentrant is true there and false here'),
      ].reverse(),
    );
  });
});
