import {
  type BreakerFigures,
  type MemberFigures,
  type ToldFigures,
  figuresOf,
  readFigures,
  toldFigures,
} from './figures.js';

function figures(given: Partial<BreakerFigures> = {}): BreakerFigures {
  return { name: 'a', state: 'closed', calls: 0, failures: 0, rejections: 0, ...given };
}

function memberOf({ name, state, ...rest }: BreakerFigures): MemberFigures {
  return { name, state, figures: rest };
}

/** The part that others are told. */
function told(breakers: readonly BreakerFigures[], total = breakers.length, open = 0): ToldFigures {
  return toldFigures({ breakers, total, open });
}

describe('the figures of an instance', () => {
  it('come with those breakers first that are not closed, then those with the most calls', () => {
    const all = [
      figures({ name: 'idle' }),
      figures({ name: 'busy', calls: 90, failures: 3 }),
      figures({ name: 'open', state: 'open', rejections: 5 }),
      figures({ name: 'probing', state: 'half-open', calls: 1 }),
    ];
    const { breakers } = figuresOf(all.map(memberOf));
    expect(breakers.map(({ name }) => name)).toEqual(['open', 'probing', 'busy', 'idle']);
  });

  it('are told and read again', () => {
    const all = [figures({ name: '日本 "{}"', state: 'half-open', calls: 7, failures: 2 })];
    const json = JSON.stringify(toldFigures(figuresOf(all.map(memberOf))));
    expect(readFigures(JSON.parse(json))).toEqual({ breakers: all, more: 0, open: 1 });
  });

  it('take at most a kilobyte, whatever the names are, and say how many breakers are left out', () => {
    for (const name of ['storagesvc', '日'.repeat(60), 'x'.repeat(990)]) {
      const all = Array.from({ length: 100 }, (_, i) => figures({ name: `${name}${i}`, calls: i }));
      const some = told(all, 5_000, 17);
      expect(Buffer.byteLength(JSON.stringify(some))).toBeLessThan(1_050);
      expect(some).toMatchObject({ more: 5_000 - some.breakers.length, open: 17 });
    }
    const long = figures({ name: 'x'.repeat(2_000), state: 'open' });
    expect(told([long])).toEqual({ breakers: [], more: 1, open: 0 });
    const { breakers, more } = told([long, figures({ name: 'short' })]);
    expect([breakers.map(([name]) => name), more]).toEqual([['short'], 1]);
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
    expect(figuresOf(members).breakers).toHaveLength(1_000);
    expect(read).toHaveBeenCalledTimes(1_000);
  });

  it('come with breakers that are not closed, wherever they stand among very many, and count them all', () => {
    const zero = { calls: 0, failures: 0, rejections: 0 };
    const members = Array.from({ length: 3_000 }, (_, i) => ({
      name: `${i}`,
      state: i % 2 === 1 && i > 1_000 ? ('open' as const) : ('closed' as const),
      figures: { ...zero, calls: i === 2_999 ? 0 : i },
    }));
    const few = members.map((each, i) =>
      i === 2_999 ? each : { ...each, state: 'closed' as const },
    );
    const one = figuresOf(few);
    expect(one).toMatchObject({ total: 3_000, open: 1 });
    expect(one.breakers).toHaveLength(1_000);
    expect(one.breakers[0]).toMatchObject({ name: '2999', state: 'open' });
    const many = toldFigures(figuresOf(members));
    expect(many.open).toBe(1_000);
    expect(readFigures(many)).toMatchObject({ open: 1_000, more: 3_000 - many.breakers.length });
  });

  it('of another version of the library may be anything', () => {
    const nonsense: unknown[] = [
      undefined,
      null,
      3,
      'x',
      [],
      {},
      { breakers: 3 },
      { more: -1 },
      { open: 'x' },
    ];
    const none = { breakers: [], more: 0, open: 0 };
    for (const facts of nonsense) expect(readFigures(facts)).toEqual(none);
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
