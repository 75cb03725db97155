import { OptionsReader, Problems } from '../../common/options-reader.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import { Sleeper } from '../../pipeline/sleeper.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { constant } from '../backoff/backoff.js';
import { CircuitOpenError } from '../circuit-breaker/circuit-open-error.js';
import type { PolicySite } from '../policy.js';
import { type RetryOptions, readRetryOptions } from './options.js';
import { RetryStage } from './retry-stage.js';

const down = new Error('down');

/**
 * Runs a method that fails and leaves a circuit open until then; returns when attempts began, and why there are no
 * more.
 */
async function runUntilOpen(
  until: number,
  options: RetryOptions,
): Promise<{ starts: number[]; reason: unknown; waitsFor: number }> {
  const clock = new ManualClock();
  const events = new ResilienceEvents();
  const emitted: ResilienceEvent[] = [];
  events.subscribe((event) => void emitted.push(event));
  const settings = readRetryOptions(new OptionsReader(options, 'here', new Problems()));
  const site: Partial<PolicySite> = { name: 'Books.list', clock, events };
  const retry = new RetryStage(settings, { ...site, sleeper: new Sleeper(clock) } as PolicySite);
  const starts: number[] = [];
  const work = (call: TestCall): Promise<never> => {
    starts.push(clock.now());
    call.nextRejection = { until, rejection: new CircuitOpenError('books', until) };
    return Promise.reject(down);
  };
  const outcome = new Pipeline('Books.list', [retry], events).run(new TestCall(work, { clock }));
  const ended = expect(outcome).rejects.toBe(down);
  await clock.advance(0);
  const waitsFor = clock.pending;
  await clock.advance(60_000);
  await ended;
  const last = emitted.find((event) => event.type === 'retries-exhausted');
  return { starts, reason: last?.reason, waitsFor };
}

describe('a retry whose last attempt has left a circuit open', () => {
  const options: RetryOptions = { backoff: constant('1s'), maxRetries: 1 };

  it('ends at once when the circuit would still be open after the wait', async () => {
    expect(await runUntilOpen(1_001, options)).toEqual({
      starts: [0],
      reason: 'circuit-open',
      waitsFor: 0,
    });
  });

  it('waits when the circuit admits calls again by then', async () => {
    const { starts, reason } = await runUntilOpen(1_000, options);
    expect(starts).toEqual([0, 1_000]);
    expect(reason).toBe('max-retries');
  });

  it('also waits for an open circuit if rejections count as failures', async () => {
    const { starts, reason } = await runUntilOpen(60_000, { ...options, on: [() => true] });
    expect(starts).toEqual([0, 1_000]);
    expect(reason).toBe('max-retries');
  });
});

it('a retry without listeners gives up without an event', async () => {
  const clock = new ManualClock();
  const events = new ResilienceEvents();
  const emit = jest.spyOn(events, 'emit');
  const settings = readRetryOptions(new OptionsReader({ maxRetries: 0 }, 'here', new Problems()));
  const retry = new RetryStage(settings, {
    name: 'Books.list',
    clock,
    events,
  } as Partial<PolicySite> as PolicySite);
  const pipeline = new Pipeline('Books.list', [retry], events);
  const call = new TestCall(() => Promise.reject(down), { clock });
  await expect(pipeline.run(call)).rejects.toBe(down);
  expect(emit).not.toHaveBeenCalled();
});
