import { OptionsReader, Problems } from '../../common/options-reader.js';
import { Pipeline } from '../../pipeline/pipeline.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import type { PolicySite } from '../policy.js';
import type { TimeoutOptions, TimeoutSettings } from './options.js';
import { timeoutPolicy } from './timeout.policy.js';

const site = { name: 'Books.list', clock: new ManualClock(), onClose: () => () => {} } as unknown;

function read(given: TimeoutOptions): [TimeoutSettings, readonly string[]] {
  const problems = new Problems();
  const settings = timeoutPolicy.read(
    new OptionsReader(given, 'here', problems),
    site as PolicySite,
  );
  return [settings, problems.all];
}

describe('the options of a timeout', () => {
  it.each<[TimeoutOptions, TimeoutSettings]>([
    [{ attempt: '1s' }, { attempt: 1_000, total: undefined }],
    [{ total: '2s' }, { attempt: undefined, total: 2_000 }],
    [
      { attempt: 1_999, total: '2s' },
      { attempt: 1_999, total: 2_000 },
    ],
  ])('may be %j', (given, settings) => {
    expect(read(given)).toEqual([settings, []]);
  });

  it('need an attempt shorter than the total', () => {
    expect(read({ attempt: '2s', total: '2s' })[1]).toEqual([
      'here: attempt (2000 ms) must be shorter than total (2000 ms), or the total timeout always comes first',
    ]);
  });

  it('need at least one limit', () => {
    expect(read({})[1]).toEqual([
      `here: no time given; use a duration such as '2s', or { attempt, total }`,
    ]);
  });

  it('are the limit of an attempt unless they are an object', () => {
    const options = { total: '2s' } as const;
    expect(timeoutPolicy.normalize(options)).toBe(options);
    expect(timeoutPolicy.normalize('1s')).toEqual({ attempt: '1s' });
    expect(timeoutPolicy.normalize(null as never)).toEqual({ attempt: null });
  });
});

describe('the policy of timeouts', () => {
  it.each<[TimeoutOptions, string[]]>([
    [{ attempt: '1s' }, ['attempt timeout']],
    [{ total: '2s' }, ['total timeout']],
    [{ attempt: '1s', total: '2s' }, ['total timeout', 'attempt timeout']],
  ])('has a stage for each time: %j', (given, names) => {
    const stages = timeoutPolicy.stages(read(given)[0], site as PolicySite);
    expect(Object.keys(stages)).toEqual(names);
  });

  it.each([
    ['attempt timeout', 'attempt'],
    ['total timeout', 'total'],
  ])('ends longer calls by the %s', async (stage, scope) => {
    const clock = new ManualClock();
    const events = new ResilienceEvents();
    const own = {
      name: 'Books.list',
      clock,
      events,
      onClose: () => () => {},
    } as unknown as PolicySite;
    const [settings] = read({ attempt: 1_000, total: 2_000 });
    const made = timeoutPolicy.stages(settings, own)[stage]!();
    const call = new TestCall(() => new Promise(() => {}), { clock });
    const ended = expect(
      new Pipeline('Books.list', [made], events).run(call),
    ).rejects.toMatchObject({ scope, timeoutMs: scope === 'total' ? 2_000 : 1_000 });
    await clock.advance(2_000);
    await ended;
  });

  it('shows the limit of an attempt', () => {
    const [settings] = read({ attempt: '1s', total: '2s' });
    expect(timeoutPolicy.snapshot!(settings, undefined)).toEqual({ attemptTimeoutMs: 1_000 });
  });
});
