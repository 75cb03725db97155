import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Toy, failing, pipelineOf, settled } from '../../test/support/stages.js';
import { TestCall } from '../../test/support/test-call.js';
import { QuotaExceededError } from '../../test/support/quota/quota-exceeded-error.js';
import type { ResilienceEvent } from '../telemetry/events.js';
import { ResilienceEvents } from '../telemetry/resilience-events.js';
import { ManualClock } from '../testing/index.js';
import type { Call } from './call.js';
import { AGAIN } from './stage.js';

function listening(): { events: ResilienceEvents; heard: ResilienceEvent[] } {
  const events = new ResilienceEvents();
  const heard: ResilienceEvent[] = [];
  events.subscribe((event) => void heard.push(event));
  return { events, heard };
}

const typesIn = (heard: readonly ResilienceEvent[]): string[] => heard.map(({ type }) => type);

describe('a call', () => {
  it('tells of its beginning, of each attempt and of its end, in this order, with one number', async () => {
    const { events, heard } = listening();
    const clock = new ManualClock();
    const again = async (call: Call): Promise<typeof AGAIN | void> =>
      call.failed && call.attempt < 2 ? AGAIN : undefined;
    const work = async ({ attempt }: Call): Promise<number> => {
      await clock.advance(100);
      if (attempt === 1) throw new Error('x');
      return 1;
    };
    await pipelineOf([new Toy('again', [], { react: again })], events).run(
      new TestCall(work, { clock }),
    );
    expect(typesIn(heard)).toEqual([
      'call-start',
      'attempt-start',
      'attempt',
      'attempt-start',
      'attempt',
      'call-end',
    ]);
    expect(new Set(heard.map((event) => (event as { callId?: number }).callId)).size).toBe(1);
    expect(heard.at(-1)).toEqual({
      type: 'call-end',
      name: 'Books.list',
      callId: expect.any(Number),
      attempts: 2,
      outcome: 'success',
      source: 'live',
      durationMs: 200,
    });
  });

  it('tells of its end once, with its error, whatever fails', async () => {
    const { events, heard } = listening();
    const error = new Error('x');
    const fail = (): never => {
      throw error;
    };
    const runs = [
      pipelineOf([], events).run(new TestCall(fail)),
      pipelineOf([new Toy('a', [], { react: fail })], events).run(new TestCall()),
      pipelineOf([new Toy('a', [], { ready: () => Promise.reject(error) })], events).run(
        new TestCall(),
      ),
    ];
    await Promise.allSettled(runs);
    const ends = heard.filter(({ type }) => type === 'call-end');
    expect(ends).toHaveLength(3);
    for (const end of ends) expect(end).toMatchObject({ outcome: 'failure', error });
    expect(heard.filter(({ type }) => type === 'call-start')).toHaveLength(3);
  });

  it('names the policy that has rejected it', async () => {
    const { events, heard } = listening();
    const error = new QuotaExceededError('Books.list', 5, 1_000);
    const reject = (): never => {
      throw error;
    };
    const call = new TestCall();
    await pipelineOf([new Toy('quota', [], { enter: reject })], events)
      .run(call)
      .catch(() => {});
    const rejectedBy = { policy: error.policy, name: error.policyName, code: error.code };
    expect(heard.at(-1)).toMatchObject({ type: 'call-end', rejectedBy });
    // The rejection of another call, further inside, is an error like any other.
    await pipelineOf([], events)
      .run(new TestCall(reject))
      .catch(() => {});
    expect(heard.at(-1)).not.toHaveProperty('rejectedBy');
  });

  it('makes only the events that have a listener', async () => {
    const events = new ResilienceEvents();
    const emit = jest.spyOn(events, 'emit');
    events.on('state-change', () => {});
    await pipelineOf([], events).run(new TestCall());
    expect(emit).not.toHaveBeenCalled();
    const heard: string[] = [];
    const end = events.on('call-end', ({ name }) => void heard.push(name));
    await pipelineOf([], events).run(new TestCall());
    expect(emit).toHaveBeenCalledTimes(1);
    end();
    await pipelineOf([], events).run(new TestCall());
    expect(emit).toHaveBeenCalledTimes(1);
    expect(heard).toEqual(['Books.list']);
  });

  it('is measured without an event', async () => {
    const events = new ResilienceEvents();
    const emit = jest.spyOn(events, 'emit');
    const clock = new ManualClock();
    const meter = { succeeded: jest.fn(), ended: jest.fn() };
    events.meters.add(meter);
    const work = (): Promise<void> => clock.advance(100);
    await pipelineOf([], events).run(new TestCall(work, { clock }));
    await pipelineOf([], events)
      .run(new TestCall(failing))
      .catch(() => {});
    expect(emit).not.toHaveBeenCalled();
    expect(meter.succeeded.mock.calls).toEqual([['Books.list', 100]]);
    expect(meter.ended.mock.calls).toEqual([
      [expect.objectContaining({ name: 'Books.list', outcome: 'failure', attempts: 1 }), false],
    ]);
  });

  it('is reported to meters that want failures, and only then as an event', async () => {
    const { events, heard } = listening();
    const meter = { succeeded: jest.fn(), ended: jest.fn(), failed: jest.fn() };
    events.meters.add(meter);
    const alone = new ResilienceEvents();
    alone.meters.add(meter);
    for (const each of [events, alone]) {
      await pipelineOf([], each).run(new TestCall());
      expect(meter.failed).not.toHaveBeenCalled();
      await pipelineOf([], each)
        .run(new TestCall(failing))
        .catch(() => {});
      const event = {
        type: 'call-end',
        name: 'Books.list',
        outcome: 'failure',
        error: expect.any(Error),
      };
      expect(meter.failed.mock.calls).toEqual([[expect.objectContaining(event)]]);
      meter.failed.mockClear();
    }
    expect(heard.filter(({ type }) => type === 'call-end')).toHaveLength(2);
  });

  it('is measured once, with or without listeners', async () => {
    const { events, heard } = listening();
    const meter = { succeeded: jest.fn(), ended: jest.fn() };
    const remove = events.meters.add(meter);
    await pipelineOf([], events).run(new TestCall());
    expect(meter.succeeded).not.toHaveBeenCalled();
    expect(meter.ended).toHaveBeenCalledTimes(1);
    expect(meter.ended.mock.calls[0]).toMatchObject([
      { outcome: 'success', source: 'live' },
      false,
    ]);
    remove();
    await pipelineOf([], events).run(new TestCall());
    expect(meter.ended).toHaveBeenCalledTimes(1);
    expect(heard.filter(({ type }) => type === 'call-end')).toHaveLength(2);
  });

  it('is published on a diagnostics channel, without a listener', async () => {
    const events = new ResilienceEvents();
    const heard: unknown[] = [];
    const listener = (message: unknown): void => void heard.push(message);
    subscribe('nest-resilience:call-end', listener);
    try {
      await pipelineOf([], events)
        .run(new TestCall(failing))
        .catch(() => {});
    } finally {
      unsubscribe('nest-resilience:call-end', listener);
    }
    await pipelineOf([], events).run(new TestCall());
    await settled();
    expect(heard).toEqual([expect.objectContaining({ type: 'call-end', outcome: 'failure' })]);
  });

  it('is not slower for its policies because a listener of its beginning is', async () => {
    const events = new ResilienceEvents();
    const clock = new ManualClock();
    let now = 0;
    jest.spyOn(clock, 'now').mockImplementation(() => now);
    events.on('call-start', () => void (now += 1_000));
    const seen: number[] = [];
    const look = (call: Call): void => void seen.push(call.now());
    await pipelineOf([new Toy('a', [], { enter: look, exit: look })], events).run(
      new TestCall(() => 1, { clock }),
    );
    expect(seen[1]! - seen[0]!).toBe(0);
  });
});
