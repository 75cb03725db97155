import { ResilienceError } from '../common/errors.js';
import { StreamResult } from '../common/outcomes/stream-result.js';
import {
  PromptToy,
  Toy,
  failing,
  interruptible,
  pipelineOf,
  settled,
} from '../../test/support/stages.js';
import { TestCall } from '../../test/support/test-call.js';
import { ResilienceEvents } from '../telemetry/resilience-events.js';
import type { Call } from './call.js';
import { ReportSink } from './call-report.js';
import { Liveness, tellNotLive } from './liveness.js';
import { Stage } from './stage.js';

class Rejection extends ResilienceError {
  constructor() {
    super({ code: 'SHED', policy: 'p', policyName: 'n', status: 503, title: 't', message: 'm' });
  }
}

class Stream extends StreamResult {}

/** The ways through a pipeline: the short one, and the one on which events are emitted. */
const ways: [string, () => ResilienceEvents][] = [
  ['without a listener', () => new ResilienceEvents()],
  [
    'with a listener',
    () => {
      const events = new ResilienceEvents();
      events.subscribe(() => {});
      return events;
    },
  ],
];

/** The state of the call as a stage finds it on the way out. */
class Witness extends Stage {
  seen: Partial<Call> = {};

  override exit({ failed, rejection, value, error }: Call): void {
    this.seen = { failed, rejection, value, error };
  }
}

describe.each(ways)('when %s, a call', (_way, eventsOf) => {
  const run = (call: Call, ...stages: Stage[]): Promise<unknown> =>
    pipelineOf(stages, eventsOf())
      .run(call)
      .catch((error: unknown) => error);

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Rejection();
      },
    ],
    ['rejects with', () => Promise.reject(new Rejection())],
  ])(
    'was not turned away when its own work %s a rejection of another pipeline',
    async (_how, work) => {
      const witness = new Witness();
      expect(await run(new TestCall(work), witness)).toBeInstanceOf(Rejection);
      expect(witness.seen).toMatchObject({ failed: true, rejection: undefined });
    },
  );

  it.each([PromptToy, Toy])('was turned away when a stage has thrown a rejection', async (Kind) => {
    const witness = new Witness();
    const rejection = new Rejection();
    const enter = (): never => {
      throw rejection;
    };
    expect(await run(new TestCall(), witness, new Kind('inner', [], { enter }))).toBe(rejection);
    expect(witness.seen).toMatchObject({ failed: true, rejection });
  });

  it('keeps results when one of its stages does, and not otherwise', async () => {
    class Keeping extends Stage {
      override readonly keepsResults = true;
    }
    const keeping: boolean[] = [];
    const work = (call: TestCall) => void keeping.push(call.keepsResults);
    await run(new TestCall(work), new Witness(), new Keeping());
    await run(new TestCall(work), new Keeping(), new Witness());
    await run(new TestCall(work), new Witness());
    expect(keeping).toEqual([true, true, false]);
  });

  it('may be stopped when one of its stages does that, and not otherwise', async () => {
    class Stopping extends Stage {
      override readonly interrupts = true;
    }
    const seen: boolean[] = [];
    const work = (call: TestCall) => void seen.push(call.interruptible);
    await run(new TestCall(work), new Witness(), new Stopping());
    await run(new TestCall(work), new Witness());
    expect(seen).toEqual([true, false]);
  });

  it('tells who watches around it when its answer is not live', async () => {
    const answeredBy = (source: Call['source']): Stage =>
      new PromptToy('answering', [], {
        react: (call) => {
          call.succeed('instead');
          call.source = source;
        },
      });
    for (const source of ['live', 'fallback', 'stale'] as const) {
      const liveness = new Liveness();
      await liveness.watch(() => run(new TestCall(failing), answeredBy(source)));
      expect(liveness.source).toBe(source);
    }
  });

  it('says nothing of answers that were not live before it when its own is', async () => {
    const liveness = new Liveness();
    await liveness.watch(async () => {
      tellNotLive('fallback');
      await run(new TestCall(() => 'books'));
    });
    expect(liveness.source).toBe('fallback');
  });

  it('goes on with a stream: it can still be stopped, and is over when that ends', async () => {
    const call = interruptible(() => new Stream());
    const ended = jest.fn();
    await run(call);
    call.atEnd(ended);
    expect(ended).not.toHaveBeenCalled();
    call.abort(new Error('gone'));
    expect(call.interrupted).toBe(true);
    call.finish();
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it('is over with any other result: nothing stops it any more', async () => {
    const call = interruptible(() => 'books');
    const ended = jest.fn();
    call.atEnd(ended);
    await run(call);
    expect(ended).toHaveBeenCalledTimes(1);
    call.abort(new Error('gone'));
    expect(call.interrupted).toBe(false);
  });

  it('that is stopped before its work has begun leaves no work behind', async () => {
    const call = interruptible(() => 'books');
    const inner = new Toy('inner', [], { ready: () => new Promise(() => {}) });
    let left: unknown = 'unknown';
    const outer = new PromptToy('outer', [], {
      exit: (own) => void (left = own.unfinishedWork(0)),
    });
    const end = run(call, outer, inner);
    await settled();
    call.abort(new Error('gone'));
    expect(await end).toMatchObject({ message: 'gone' });
    expect(call.started).toBe(0);
    expect(left).toBeUndefined();
  });

  it('lets its stages know how often a wait of theirs has ended', async () => {
    const call = new TestCall();
    const waiting = (): PromptToy => new PromptToy('waits', [], { react: () => settled() });
    await run(call, waiting(), waiting());
    expect(call.waitsEnded).toBe(2);
  });
});

it('a report has the time that the call took, from its begin', async () => {
  const call = new TestCall(() => tellNotLive('fallback'));
  const reports = new ReportSink();
  call.reports = reports;
  jest.spyOn(call, 'now').mockReturnValueOnce(1_000).mockReturnValue(1_250);
  await pipelineOf([]).run(call);
  expect(reports.calls).toMatchObject([{ name: 'Books.list', durationMs: 250, source: 'live' }]);
});
