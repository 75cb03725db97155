import type { RejectedEvent, StateChangeEvent } from '../../telemetry/events.js';
import { EventLog } from './event-log.js';

const rejected = (name = 'a'): RejectedEvent => ({
  type: 'rejected',
  name,
  policy: 'circuitBreaker',
  code: 'CIRCUIT_OPEN',
});

const changed = {
  type: 'state-change',
  name: 'a',
  from: 'closed',
  to: 'open',
  reason: 'reset',
} as StateChangeEvent;

describe('the log of events', () => {
  let now: number;
  let log: EventLog;
  beforeEach(() => {
    now = 1_000;
    log = new EventLog(10, () => now);
  });

  it('numbers events', () => {
    log.record(changed);
    log.record(rejected());
    expect(log.since(0).events.map(({ sequence, type }) => [sequence, type])).toEqual([
      [1, 'state-change'],
      [2, 'rejected'],
    ]);
    expect(log.since(1)).toMatchObject({ events: [{ sequence: 2 }], incomplete: false });
    expect(log.since(99)).toEqual({ events: [], incomplete: false });
  });

  it('tells a storm in two lines a second', () => {
    for (let time = 0; time < 500; time++) log.record(rejected());
    log.record(rejected('b'));
    expect(log.since(0).events).toHaveLength(2);
    now += 1_000;
    expect(log.since(0).events).toMatchObject([
      { name: 'a' },
      { name: 'b' },
      { name: 'a', count: 499 },
    ]);
    log.record(rejected());
    expect(log.sequence).toBe(4);
  });

  it('keeps changes of state through a storm of other events', () => {
    log.record(changed);
    for (let name = 0; name < 1_000; name++) log.record(rejected(`${name}`));
    const { events, incomplete } = log.since(0);
    expect(events[0]).toMatchObject({ type: 'state-change', sequence: 1 });
    expect(events).toHaveLength(11);
    expect(incomplete).toBe(true);
    expect(log.since(991).incomplete).toBe(false);
  });

  it('leaves out what went well', () => {
    log.record({ type: 'queued', name: 'a', waitedMs: 1 });
    expect(log.sequence).toBe(0);
  });
});
