import { type BreakerFigures, figuresOf, readFigures, toldFigures } from './figures.js';

function figures(given: Partial<BreakerFigures> = {}): BreakerFigures {
  return { name: 'a', state: 'closed', calls: 0, failures: 0, rejections: 0, ...given };
}

function memberOf({ name, state, ...rest }: BreakerFigures): Parameters<typeof figuresOf>[0] {
  return [{ name, state, figures: rest }];
}

describe('the figures of an instance', () => {
  it('come with those breakers first that are not closed, then those with the most calls', () => {
    const all = [
      figures({ name: 'idle' }),
      figures({ name: 'busy', calls: 90, failures: 3 }),
      figures({ name: 'open', state: 'open', rejections: 5 }),
      figures({ name: 'probing', state: 'half-open', calls: 1 }),
    ];
    const names = figuresOf(all.flatMap((each) => [...memberOf(each)])).map(({ name }) => name);
    expect(names).toEqual(['open', 'probing', 'busy', 'idle']);
  });

  it('are told and read again', () => {
    const all = [figures({ name: '日本 "{}"', state: 'half-open', calls: 7, failures: 2 })];
    const told: unknown = JSON.parse(JSON.stringify(toldFigures(all, 1)));
    expect(readFigures(told)).toEqual({ breakers: all, more: 0 });
  });

  it('take at most a kilobyte, whatever the names are, and say how many breakers are left out', () => {
    for (const name of ['storagesvc', '日'.repeat(60), 'x'.repeat(990)]) {
      const all = Array.from({ length: 100 }, (_, i) => figures({ name: `${name}${i}`, calls: i }));
      const told = toldFigures(all, 5_000);
      expect(Buffer.byteLength(JSON.stringify(told))).toBeLessThan(1_050);
      expect(told.more).toBe(5_000 - told.breakers.length);
    }
    expect(toldFigures([figures({ name: 'x'.repeat(2_000) })], 1)).toEqual({
      breakers: [],
      more: 1,
    });
  });

  it('are looked at for so many breakers only', () => {
    const read = jest.fn(() => ({ calls: 0, failures: 0, rejections: 0 }));
    const members = Array.from({ length: 3_000 }, (_, i) => ({
      name: `${i}`,
      state: 'closed' as const,
      get figures() {
        return read();
      },
    }));
    expect(figuresOf(members)).toHaveLength(1_000);
    expect(read).toHaveBeenCalledTimes(1_000);
  });

  it('of another version of the library may be anything', () => {
    const nonsense: unknown[] = [undefined, null, 3, 'x', [], {}, { breakers: 3 }, { more: -1 }];
    for (const facts of nonsense) expect(readFigures(facts)).toEqual({ breakers: [], more: 0 });
    const rows = [
      ['a', 'closed', 1, 2, 3, 'of a later version'],
      ['a', 'ajar', 1, 2, 3],
      ['a', 'open', '1', 2, 3],
      ['a', 'open', -1, 2, 3],
      ['a', 'open', 1],
      [5, 'open', 1, 2, 3],
      'open',
      null,
    ];
    const { breakers } = readFigures({ breakers: rows });
    expect(breakers).toEqual([figures({ calls: 1, failures: 2, rejections: 3 })]);
  });
});
