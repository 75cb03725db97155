import type * as TimeSources from './time-source.js';
import { brand } from './brand.js';
import { currentSource, isTakenDown, realNow } from './time-source.js';

type Globals = Record<'setTimeout' | 'clearTimeout' | 'setInterval' | 'Date', unknown>;

const originals = { ...pick(globalThis) };

function pick({ setTimeout, clearTimeout, setInterval, Date }: Globals): Globals {
  return { setTimeout, clearTimeout, setInterval, Date };
}

const put = (globals: Partial<Globals>): void => void Object.assign(globalThis, globals);

/** A function as a framework puts it in place, with the mark of Sinon when it has a clock. */
const fake = (clock?: object): unknown => Object.assign(jest.fn(), clock && { clock });

afterEach(() => put(originals));

describe('the source of times', () => {
  it('is the machine while its timers have not been replaced', () => {
    const source = currentSource();
    expect(source).toMatchObject({ real: true, setTimeout: originals.setTimeout });
    expect(source.read).toBe(realNow);
    put({ Date: class {} });
    expect(source.inForce()).toBe(true);
    put({ setTimeout: fake() });
    expect(source.inForce()).toBe(false);
  });

  it('has a time where `performance` itself has `now`, as in Bun', () => {
    const now = jest.fn(() => 5);
    jest.doMock('node:perf_hooks', () => ({ performance: { now } }));
    jest.isolateModules(() => {
      const isolated = jest.requireActual<typeof TimeSources>('./time-source.js');
      expect(isolated.realNow()).toBe(5);
    });
    jest.dontMock('node:perf_hooks');
  });

  it('is the fake timers while they are on: their functions and their date', () => {
    put({ setTimeout: fake({ now: 5 }) });
    const source = currentSource();
    expect(source.real).toBe(false);
    expect(source.inForce()).toBe(true);
    put({ Date: class {} });
    expect(source.inForce()).toBe(false);
    put({ Date: originals.Date, setTimeout: fake({ now: 5 }) });
    expect(source.inForce()).toBe(false);
  });

  it.each(['setTimeout', 'clearTimeout', 'setInterval'] as const)(
    'is the clock of Sinon, wherever it is found: at %s',
    (marked) => {
      const clock = { now: 5 };
      put({ setTimeout: fake(), [marked]: fake(clock) });
      const source = currentSource();
      expect(source.read()).toBe(5);
      clock.now = 7;
      expect(source.read()).toBe(7);
    },
  );

  it('is the finer time of such a clock, if it has one', () => {
    const performance = {
      time: 5.5,
      now() {
        return this.time;
      },
    };
    put({ setTimeout: fake({ now: 5, performance }) });
    expect(currentSource().read()).toBe(5.5);
  });

  it('is the date of node:test', () => {
    put({ setTimeout: fake(), Date: { isMock: true, now: () => 9 } });
    expect(currentSource().read()).toBe(9);
  });

  it('is real time for fake timers without a time', () => {
    put({ setTimeout: fake(), clearTimeout: undefined, setInterval: undefined });
    expect(currentSource().read).toBe(realNow);
    put({ Date: { isMock: false, now: () => 9 } });
    expect(currentSource().read).toBe(realNow);
  });
});

describe('a timer is cleared', () => {
  const handle = {} as NodeJS.Timeout;

  it('by the source that has set it, when that is harmless', () => {
    for (const [setTimeout, Date] of [
      [fake({ now: 5 }), originals.Date],
      [fake(), { isMock: true, now: () => 9 }],
    ]) {
      const clearTimeout = fake();
      put({ setTimeout, clearTimeout, Date });
      const source = currentSource();
      put({ clearTimeout: fake() });
      source.clear(handle);
      expect(clearTimeout).toHaveBeenCalledTimes(1);
      expect(clearTimeout).toHaveBeenCalledWith(handle);
    }
  });

  it('also when the fake timers are off, except those of node:test, which would clear others too', () => {
    for (const [setTimeout, times] of [
      [fake({ now: 5 }), 1],
      [fake(), 0],
    ] as const) {
      const clearTimeout = fake();
      put({ setTimeout, clearTimeout });
      const source = currentSource();
      put(originals);
      source.clear(handle);
      expect(clearTimeout).toHaveBeenCalledTimes(times);
    }
  });
});

describe('the timers found when the library is loaded', () => {
  const realAtLoad = (setTimeout: unknown): boolean => {
    let real: boolean | undefined;
    put({ setTimeout });
    jest.isolateModules(() => {
      const copy = jest.requireActual<typeof TimeSources>('./time-source.js');
      real = copy.currentSource().real;
    });
    return real!;
  };

  it('are those of the machine, even when a tool has wrapped them', () => {
    expect(realAtLoad(originals.setTimeout)).toBe(true);
    expect(realAtLoad(fake())).toBe(true);
  });

  it('are not those of the machine when they are marked as fakes', () => {
    expect(realAtLoad(fake({ now: 5 }))).toBe(false);
  });

  it('belong to the test file, which Jest takes apart at its end', () => {
    const slots = globalThis as unknown as Record<symbol, { sings?: boolean }>;
    const canary = slots[brand('canary')]!;
    expect(isTakenDown()).toBe(false);
    delete canary.sings;
    try {
      expect(isTakenDown()).toBe(true);
    } finally {
      canary.sings = true;
    }
  });
});
