import { readOptions } from '../../../test/support/read-options.js';
import { bulkheadPolicy } from './bulkhead.policy.js';
import { type BulkheadSettings, readBulkheadOptions } from './options.js';

function settle(options: object): [BulkheadSettings, readonly string[]] {
  return readOptions(readBulkheadOptions, options);
}

const forms = `milliseconds or a duration such as '500ms', '2s', '1.5m', '1h'`;

describe('the options of a bulkhead', () => {
  it('have defaults: 10 may run, none may wait', () => {
    expect(settle({})).toEqual([
      {
        name: undefined,
        maxConcurrent: 10,
        maxQueue: 0,
        maxWait: undefined,
        reentrant: false,
        key: undefined,
        maxKeys: 1_000,
        scope: 'local',
      },
      [],
    ]);
  });

  it('are used as given, durations in milliseconds', () => {
    const given = { name: 'storagesvc', maxConcurrent: 1, maxQueue: 50, maxWait: '1.5s' };
    expect(settle(given)).toEqual([expect.objectContaining({ ...given, maxWait: 1_500 }), []]);
  });

  it('let no call wait when maxQueue is 0', () => {
    expect(settle({ maxQueue: 0 })).toEqual([expect.objectContaining({ maxQueue: 0 }), []]);
  });

  it('need no maxWait beside maxQueue', () => {
    const [{ maxQueue, maxWait }, problems] = settle({ maxQueue: 1 });
    expect({ maxQueue, maxWait, problems }).toEqual({
      maxQueue: 1,
      maxWait: undefined,
      problems: [],
    });
  });

  it.each<[string, object, string]>([
    ['no place', { maxConcurrent: 0 }, 'maxConcurrent is 0; use a whole number of at least 1'],
    ['no key', { maxKeys: 0 }, 'maxKeys is 0; use a whole number of at least 1'],
    [
      'a negative number of places',
      { maxConcurrent: -1 },
      'maxConcurrent is -1; use a whole number of at least 1',
    ],
    [
      'a fraction of a place',
      { maxConcurrent: 1.5 },
      'maxConcurrent is 1.5; use a whole number of at least 1',
    ],
    [
      'places in a string',
      { maxConcurrent: '5' },
      `maxConcurrent is '5'; use a whole number of at least 1`,
    ],
    [
      'places from a missing variable',
      { maxConcurrent: NaN },
      'maxConcurrent is NaN; use a whole number of at least 1',
    ],
    [
      'places without end',
      { maxConcurrent: Infinity },
      'maxConcurrent is Infinity; use a whole number of at least 1',
    ],
    [
      'a queue of negative length',
      { maxQueue: -1 },
      'maxQueue is -1; use a whole number of at least 0',
    ],
    ['half a queue', { maxQueue: 0.5 }, 'maxQueue is 0.5; use a whole number of at least 0'],
    [
      'a queue without end',
      { maxQueue: Infinity },
      'maxQueue is Infinity; use a whole number of at least 0',
    ],
    ['a queue in a string', { maxQueue: '5' }, `maxQueue is '5'; use a whole number of at least 0`],
    ['a wait of no time', { maxQueue: 1, maxWait: '0s' }, `maxWait is '0s'; use ${forms} above 0`],
    ['a negative wait', { maxQueue: 1, maxWait: -1 }, `maxWait is -1; use ${forms} above 0`],
    [
      'an endless wait, which is the default',
      { maxQueue: 1, maxWait: Infinity },
      `maxWait is Infinity; use ${forms} above 0`,
    ],
    [
      'a wait in an unknown unit',
      { maxQueue: 1, maxWait: '2 minutes' },
      `maxWait is '2 minutes'; use ${forms} above 0`,
    ],
    [
      'a wait without a queue',
      { maxWait: '1s' },
      'maxWait has no effect without maxQueue, since no call waits; give both',
    ],
    [
      'a wait beside a queue of 0',
      { maxQueue: 0, maxWait: '1s' },
      'maxWait has no effect without maxQueue, since no call waits; give both',
    ],
    ['no name', { name: '' }, `name is ''; use a non-empty string`],
    ['a name that is not a string', { name: 7 }, 'name is 7; use a non-empty string'],
    [
      'a misspelt option',
      { maxConcurent: 5 },
      'maxConcurent is not an option; the options are maxQueue, maxWait, name, maxConcurrent, reentrant, key, maxKeys, scope',
    ],
  ])('must not have %s', (_what, options, problem) => {
    expect(settle(options)[1]).toEqual([problem]);
  });

  it('are reported once: a maxWait beside a wrong maxQueue is fine', () => {
    expect(settle({ maxQueue: -1, maxWait: '1s' })[1]).toEqual([
      'maxQueue is -1; use a whole number of at least 0',
    ]);
  });

  it('are all checked, however many are wrong', () => {
    const [, problems] = settle({ name: '', maxConcurrent: 0, maxQueue: -1, maxWeight: 1 });
    expect(problems).toHaveLength(4);
  });
});

describe('the bulkhead policy', () => {
  it('reads a number as the number of places', () => {
    expect(bulkheadPolicy.normalize(5)).toEqual({ maxConcurrent: 5 });
    expect(bulkheadPolicy.normalize(0)).toEqual({ maxConcurrent: 0 });
    const options = { name: 'storagesvc', maxQueue: 3 };
    expect(bulkheadPolicy.normalize(options)).toBe(options);
  });

  it('has a part that is identified by its name', () => {
    const [settings] = settle({ name: 'storagesvc', maxConcurrent: 3 });
    expect(bulkheadPolicy.part!(settings)).toEqual({ name: 'storagesvc', settings });
    expect(bulkheadPolicy.part!(settle({})[0])).toMatchObject({ name: undefined });
  });
});
