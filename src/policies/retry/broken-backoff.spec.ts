import { hostProcess } from '../../../test/support/process.js';
import { settingsOf } from '../../../test/support/read-options.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import { Sleeper } from '../../pipeline/sleeper.js';
import type { ResilienceEvent } from '../../telemetry/events.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import type { PolicySite } from '../policy.js';
import { readRetryOptions } from './options.js';
import { RetryStage } from './retry-stage.js';

const down = Object.assign(new Error('down'), { response: { headers: { 'retry-after': '1' } } });

/** The ends of two calls whose retry has such a backoff function. */
async function run(backoff: () => unknown): Promise<{
  errors: unknown[];
  reasons: string[];
  warnings: string[];
}> {
  const clock = new ManualClock();
  const events = new ResilienceEvents();
  const warnings: string[] = [];
  const reasons: string[] = [];
  events.subscribe((event: ResilienceEvent) => {
    if (event.type === 'retries-exhausted') reasons.push(event.reason);
  });
  const site = {
    name: 'Books.list',
    clock,
    events,
    sleeper: new Sleeper(clock),
    warn: (message: string) => void warnings.push(message),
    random: () => 0.5,
  };
  const options = { backoff: backoff as () => number };
  const settings = settingsOf(readRetryOptions, options);
  const retry = new RetryStage(settings, site as Partial<PolicySite> as PolicySite);
  const pipeline = new Pipeline('Books.list', [retry], events);
  const calls = [1, 2].map(() =>
    pipeline
      .run(new TestCall(() => Promise.reject(down), { clock }))
      .catch((error: unknown) => error),
  );
  await clock.advance(100_000);
  return { errors: await Promise.all(calls), reasons, warnings };
}

describe('a backoff function', () => {
  it.each<[string, () => unknown, string]>([
    ['NaN', () => NaN, 'returned NaN'],
    ['a string', () => '100', "returned '100'"],
    ['nothing', () => undefined, 'returned undefined'],
    ['a bigint', () => 100n, 'returned 100n'],
    ['an object', () => ({ valueOf: () => 100 }), 'returned { valueOf: [Function: valueOf] }'],
    ['a promise', () => Promise.resolve(100), 'returned a promise'],
  ])('that gives %s ends the calls with their error, and one warning', async (...given) => {
    const [, backoff, did] = given;
    expect(await run(backoff)).toEqual({
      errors: [down, down],
      reasons: ['backoff', 'backoff'],
      warnings: [`Books.list: the backoff function ${did} instead of milliseconds; not retried`],
    });
  });

  it('that gives a rejecting promise does not end the process', async () => {
    const unhandled = jest.fn();
    hostProcess.on('unhandledRejection', unhandled);
    try {
      const { errors, reasons } = await run(() => Promise.reject(new Error('broken')));
      expect({ errors, reasons }).toEqual({
        errors: [down, down],
        reasons: ['backoff', 'backoff'],
      });
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      hostProcess.off('unhandledRejection', unhandled);
    }
  });

  it('that throws other errors each time is reported once', async () => {
    let thrown = 0;
    const { errors, warnings } = await run(() => {
      throw new Error(`broken ${++thrown}`);
    });
    expect(errors).toEqual([down, down]);
    expect(warnings).toEqual([
      'Books.list: the backoff function threw Error: broken 1; not retried',
    ]);
  });

  it.each([-1, Infinity])('may end the calls with %p, whatever Retry-After says', async (delay) => {
    expect(await run(() => delay)).toEqual({
      errors: [down, down],
      reasons: ['backoff', 'backoff'],
      warnings: [],
    });
  });
});
