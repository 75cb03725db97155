import { HttpException } from '@nestjs/common';
import type { ResilienceEvent } from '../telemetry/events.js';
import { ResilienceEvents } from '../telemetry/resilience-events.js';
import { ManualClock } from '../testing/index.js';
import { Toy, interruptible, pipelineOf, settled } from '../../test/support/stages.js';
import { policyEventsOf } from '../../test/support/heard.js';
import { TestCall, type Work } from '../../test/support/test-call.js';
import { deferred } from '../../test/support/wait.js';
import { type CallReport, ReportSink } from './call-report.js';
import type { Call } from './call.js';
import { AGAIN, type Reaction, type Stage } from './stage.js';

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
  function listening(): { events: ResilienceEvents; emitted: ResilienceEvent[] } {
    const events = new ResilienceEvents();
    return { events, emitted: policyEventsOf(events, true) };
  }

  it('tell of each attempt: its outcome and how long it took', async () => {
    const clock = new ManualClock();
    const { events, emitted } = listening();
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
    expect(emitted).toEqual([
      { ...event, attempt: 1, outcome: 'failure', durationMs: 100, error: errors[0] },
      { ...event, attempt: 2, outcome: 'success', durationMs: 200, error: errors[1] },
      { ...event, attempt: 3, outcome: 'success', durationMs: 300 },
      { ...event, attempt: 4, outcome: 'success', durationMs: 400 },
    ]);
  });

  it('tell of no attempt when the work never began', async () => {
    const { events, emitted } = listening();
    const enter = (): never => {
      throw new Error('no');
    };
    await expect(
      pipelineOf([new Toy('a', [], { enter })], events).run(new TestCall(() => 1)),
    ).rejects.toThrow('no');
    expect(emitted).toEqual([]);
  });

  it.each([
    ['success', undefined],
    ['failure', new Error('x')],
    ['success', new HttpException('x', 404)],
    ['ignored', new TypeError('x')],
  ])('tell of given-up work that ends later as %s', async (outcome, error) => {
    const clock = new ManualClock();
    const { events, emitted } = listening();
    const work = deferred<unknown>();
    const call = interruptible(() => work.promise, clock);
    const done = pipelineOf([new Toy('limit', [])], events).run(call);
    await clock.advance(100);
    call.interrupt(0, new Error('slow'));
    await expect(done).rejects.toThrow('slow');
    const given = emitted.splice(0);
    expect(given).toEqual([expect.objectContaining({ type: 'attempt', durationMs: 100 })]);
    await clock.advance(50);
    if (error) work.reject(error);
    else work.resolve(1);
    await settled();
    expect(emitted).toEqual([
      { type: 'late', name: 'Books.list', attempt: 1, outcome, durationMs: 150 },
    ]);
  });

  it('tell of an attempt whose caller has gone that it says nothing', async () => {
    const { events, emitted } = listening();
    const gone = new Error('gone');
    const call = interruptible(() => new Promise(() => {}));
    call.reports = new ReportSink();
    const done = pipelineOf([new Toy('a', [])], events).run(call);
    call.abort(gone);
    await expect(done).rejects.toBe(gone);
    const event = { type: 'attempt', name: 'Books.list', attempt: 1, durationMs: 0 };
    expect(emitted).toEqual([{ ...event, outcome: 'ignored', error: gone }]);
    expect(call.reports.calls[0]!.outcome).toBe('ignored');
  });

  it('tell a listener who comes late nothing of attempts whose beginning it missed', async () => {
    const events = new ResilienceEvents();
    const works = [deferred<unknown>(), deferred<unknown>()];
    const calls = works.map(({ promise }) => interruptible(() => promise));
    const done = calls.map((call) => pipelineOf([new Toy('limit', [])], events).run(call));
    await settled();
    const emitted = policyEventsOf(events, true);
    calls[0]!.interrupt(0, new Error('slow'));
    for (const { resolve } of works) resolve(1);
    await Promise.allSettled(done);
    await settled();
    expect(emitted).toEqual([]);
  });

  it('are not made, and the clock is not read, without a listener', async () => {
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
