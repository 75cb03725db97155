import { Holding, isInside } from '../../pipeline/holding.js';
import { Stage } from '../../pipeline/stage.js';
import type { Call } from '../../pipeline/call.js';
import { Harness } from '../../../test/support/bulkhead-stage.js';
import { TestCall, type Work } from '../../../test/support/test-call.js';
import { deferred, settle } from '../../../test/support/wait.js';
import { Bulkhead } from './bulkhead.js';
import { FlexibleBulkheadStage } from './bulkhead-stage.js';

/** A bulkhead with one place that calls inside its own may enter again, and a pipeline around it. */
function reentrant(around: (harness: Harness) => Stage[] = () => []) {
  const harness = new Harness();
  const { clock, events } = harness;
  const settings = { maxConcurrent: 1, maxQueue: 0, maxWait: undefined, reentrant: true };
  const bulkhead = new Bulkhead('storagesvc', settings, { clock, events });
  const stage = new FlexibleBulkheadStage(() => bulkhead, { clock });
  const pipeline = harness.pipelineOf([...around(harness), stage]);
  const call = (work: Work): TestCall => new TestCall(work, { clock, interruptible: true });
  return { harness, bulkhead, stage, pipeline, call };
}

describe('a bulkhead stage with keys or reentrant calls', () => {
  it('gives nothing back for a call that needed no place', () => {
    const { stage, call } = reentrant();
    expect(() =>
      stage.exit(
        call(() => 1),
        undefined,
      ),
    ).not.toThrow();
    expect(
      stage.ready(
        call(() => 1),
        undefined,
      ),
    ).toBeUndefined();
  });

  it('admits a call without a bulkhead', async () => {
    const { harness, call } = reentrant();
    const stage = new FlexibleBulkheadStage(() => undefined, harness);
    await expect(harness.pipelineOf([stage]).run(call(() => 'books'))).resolves.toBe('books');
  });

  it('gives the place back even if its holder is unknown', () => {
    const { harness, call } = reentrant();
    const settings = { maxConcurrent: 1, maxQueue: 0, maxWait: undefined };
    const bulkhead = new Bulkhead('storagesvc', settings, harness);
    const stage = new FlexibleBulkheadStage(() => bulkhead, harness);
    const own = call(() => 1);
    const held = stage.enter(own)!;
    expect(held.holding).toBeUndefined();
    own.holding = new Holding({}, undefined);
    expect(() => stage.exit(own, held)).not.toThrow();
    expect(own.holding).toBeDefined();
    expect(bulkhead.idle).toBe(true);
  });

  it('does not surround later work of the call, which needs a place of its own', async () => {
    const seen: unknown[] = [];
    class After extends Stage {
      override exit(call: Call): void {
        seen.push(call.holding);
      }
    }
    const { pipeline, call, bulkhead } = reentrant(() => [new After()]);
    const inside: unknown[] = [];
    await pipeline.run(call(() => inside.push(isInside(bulkhead))));
    expect(inside).toEqual([true]);
    expect(seen).toEqual([undefined]);
  });

  it('keeps the place of an abandoned call until its work ends', async () => {
    const { pipeline, call, bulkhead, harness } = reentrant((own) => [own.timeout('total', 100)]);
    const work = deferred<unknown>();
    const run = expect(pipeline.run(call(() => work.promise))).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    await harness.clock.advance(100);
    await run;
    expect(bulkhead.snapshot().running).toBe(1);
    work.resolve('late');
    await settle();
    expect(bulkhead.snapshot().running).toBe(0);
  });

  it('keeps it until the work of all attempts inside it has ended', async () => {
    const { stage, call, bulkhead, harness } = reentrant();
    const retry = harness.retry({ maxRetries: 1, backoff: () => 0 });
    const pipeline = harness.pipelineOf([stage, retry, harness.timeout('attempt', 100)]);
    const first = deferred<unknown>();
    const run = pipeline.run(call((own) => (own.started === 1 ? first.promise : 'books')));
    await harness.clock.advance(100);
    await expect(run).resolves.toBe('books');
    await settle();
    expect(bulkhead.snapshot().running).toBe(1);
    first.resolve('late');
    await settle();
    expect(bulkhead.idle).toBe(true);
  });

  it('keeps it until then also when no call may be made inside it', async () => {
    const { call, harness } = reentrant();
    const settings = { maxConcurrent: 1, maxQueue: 0, maxWait: undefined };
    const bulkhead = new Bulkhead('storagesvc', settings, harness);
    const stage = new FlexibleBulkheadStage(() => bulkhead, harness);
    const pipeline = harness.pipelineOf([harness.timeout('total', 100), stage]);
    const work = deferred<unknown>();
    const run = expect(pipeline.run(call(() => work.promise))).rejects.toThrow('took longer');
    await harness.clock.advance(100);
    await run;
    expect(bulkhead.idle).toBe(false);
    work.resolve('late');
    await settle();
    expect(bulkhead.idle).toBe(true);
  });
});
