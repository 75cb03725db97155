import { OptionsReader, Problems } from '../../common/options-reader.js';
import { ResilienceEvents } from '../../telemetry/resilience-events.js';
import { ManualClock } from '../../testing/index.js';
import { TestCall } from '../../../test/support/test-call.js';
import { outcome } from '../../../test/support/wait.js';
import type { PolicySite } from '../policy.js';
import { Bulkhead, type Place, type Waiter } from './bulkhead.js';
import { bulkheadPolicy } from './bulkhead.policy.js';
import { KeyedBulkheads } from './keyed-bulkheads.js';
import { type BulkheadOptions, readBulkheadOptions } from './options.js';

function keyed(options: BulkheadOptions = {}): {
  bulkheads: KeyedBulkheads;
  /** The bulkhead of a key for which there is room. */
  of: (key: string) => Bulkhead;
  warnings: string[];
} {
  const environment = { clock: new ManualClock(), events: new ResilienceEvents() };
  const warnings: string[] = [];
  const given = { maxKeys: 2, maxConcurrent: 1, maxQueue: 1, ...options };
  const settings = readBulkheadOptions(new OptionsReader(given, 'keyed', new Problems()));
  const create = (name: string): Bulkhead => new Bulkhead(name, settings, environment);
  const bulkheads = new KeyedBulkheads('api', settings, create, (text) => warnings.push(text));
  return { bulkheads, of: (key) => bulkheads.for(key)!, warnings };
}

const namesOf = (bulkheads: KeyedBulkheads): string[] =>
  Array.from(bulkheads.values(), ({ name }) => name).sort();

const waiting = (place: Place): Promise<{ error?: unknown }> => outcome((place as Waiter).ready);

describe('bulkheads by key', () => {
  it('exist once per key, and are named after it', () => {
    const { bulkheads } = keyed({ key: (host: string) => host });
    const first = bulkheads.forCall({ self: undefined, args: ['a.example', 1] });
    expect(bulkheads.forCall({ self: undefined, args: ['a.example', 2] })).toBe(first);
    expect(bulkheads.forCall({ self: undefined, args: ['b.example'] })).not.toBe(first);
    expect(namesOf(bulkheads)).toEqual(['api[a.example]', 'api[b.example]']);
  });

  it('replace an idle one by that of a new key', () => {
    const { bulkheads, of, warnings } = keyed();
    of('a').take(0);
    const idle = of('b');
    idle.giveBack(idle.take(0), 1);
    expect(of('c')).toBeDefined();
    expect(namesOf(bulkheads)).toEqual(['api[a]', 'api[c]']);
    expect(warnings).toEqual([]);
  });

  it('have none for another key while all are in use, and warn', () => {
    const { bulkheads, of, warnings } = keyed();
    of('a').take(0);
    of('b').take(0);
    expect(bulkheads.for('c')).toBeUndefined();
    expect(namesOf(bulkheads)).toEqual(['api[a]', 'api[b]']);
    expect(warnings).toEqual([
      'bulkhead "api": all 2 keys (maxKeys) are in use; calls with further keys have no limit',
    ]);
  });

  it('let no call wait in one that was replaced, even if it is still referenced', () => {
    const { of } = keyed({ maxKeys: 1 });
    const gone = of('a');
    of('b');
    gone.take(0);
    expect(() => gone.take(0)).toThrow(expect.objectContaining({ reason: 'closing' }));
  });

  it('are closed together: no call waits in any of them any more', async () => {
    const { bulkheads, of } = keyed();
    const waits = ['a', 'b'].map((key) => {
      of(key).take(0);
      return waiting(of(key).take(0));
    });
    bulkheads.close();
    for (const { error } of await Promise.all(waits)) {
      expect(error).toMatchObject({ reason: 'closing' });
    }
  });
});

describe('an idle bulkhead', () => {
  it('has no running and no waiting call', () => {
    const { of } = keyed();
    const bulkhead = of('a');
    expect(bulkhead.idle).toBe(true);
    const first = bulkhead.take(0);
    expect(bulkhead.idle).toBe(false);
    const second = bulkhead.take(0);
    bulkhead.giveBack(second, 1);
    expect(bulkhead.idle).toBe(false);
    bulkhead.giveBack(first, 1);
    expect(bulkhead.idle).toBe(true);
  });
});

describe('the policy of bulkheads', () => {
  it('warns operators when all keys are in use', () => {
    const warn = jest.fn();
    const given = { key: (host: string) => host, maxKeys: 1, maxConcurrent: 1 };
    const settings = readBulkheadOptions(new OptionsReader(given, 'here', new Problems()));
    const site = {
      clock: new ManualClock(),
      events: new ResilienceEvents(),
      partNameOf: () => 'api',
      named: {
        obtain: (_kind: string, _name: string, make: (of: unknown) => unknown) => make(settings),
      },
      onClose: () => () => {},
      warn,
    } as unknown as PolicySite;
    const stage = bulkheadPolicy.stages(settings, site).bulkhead!();
    stage.enter(new TestCall(() => 1, { args: ['a'] }));
    stage.enter(new TestCall(() => 1, { args: ['b'] }));
    expect(warn.mock.calls).toEqual([[expect.stringContaining('all 1 keys (maxKeys) are in use')]]);
  });
});
