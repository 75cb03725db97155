import { BulkheadFullError, CircuitOpenError, hystrix, hystrixGo } from '../src/index.js';
import { closeAll } from './support/boot.js';
import { type Policies, commandOf } from './support/commands.js';
import { Drill, presets } from './support/hystrix-drill.js';

afterEach(closeAll);

describe.each(Object.keys(presets))('a command with %s', (name) => {
  const preset = presets[name]!;

  describe('the circuit', () => {
    it('stays closed at 19 failing calls and opens at the 20th: the next one does not run', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(19);
      expect(drill.state).toBe('closed');
      await drill.fail();
      expect(drill.state).toBe('open');
      const { ran, rejected } = await drill.burst(5);
      expect(ran).toBe(0);
      for (const error of rejected) expect(error).toBeInstanceOf(CircuitOpenError);
    });

    it('opens at a configured volume', async () => {
      const drill = await Drill.of(preset({ volume: 3 }));
      await drill.fail(2);
      expect(drill.state).toBe('closed');
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it('opens at 50 %, even with a success that completes the volume', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(10);
      await drill.succeed(9);
      expect(drill.state).toBe('closed');
      await drill.succeed();
      expect(drill.state).toBe('open');
    });

    it('stays closed below it', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(9);
      await drill.succeed(11);
      expect(drill.state).toBe('closed');
    });

    it('opens at a configured percentage', async () => {
      const drill = await Drill.of(preset({ percent: 25 }));
      await drill.succeed(15);
      await drill.fail(4);
      expect(drill.state).toBe('closed');
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it('opens because of timeouts', async () => {
      const drill = await Drill.of(preset({ volume: 3, places: 3 }));
      drill.start(3);
      await drill.advance(1_000);
      expect(drill.state).toBe('open');
    });

    it('opens because of calls that found no place', async () => {
      const drill = await Drill.of(preset());
      drill.start(10);
      const { ran, rejected } = await drill.burst(21);
      expect(ran).toBe(0);
      expect(rejected.filter((error) => error instanceof BulkheadFullError)).toHaveLength(20);
      expect(rejected.at(-1)).toBeInstanceOf(CircuitOpenError);
      expect(drill.state).toBe('open');
    });

    it('forgets calls after 10 s', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(19);
      await drill.advance(9_999);
      expect(drill.breaker.counts.failures).toBe(19);
      await drill.advance(1);
      expect(drill.breaker.counts.failures).toBe(0);
      await drill.fail();
      expect(drill.state).toBe('closed');
    });

    it('remembers calls for nearly 10 s', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(19);
      await drill.advance(8_999);
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it('forgets second by second', async () => {
      const drill = await Drill.of(preset());
      for (let second = 0; second < 10; second++) {
        await drill.succeed();
        await drill.advance(1_000);
        expect(drill.breaker.counts.successes).toBe(Math.min(second + 1, 9));
      }
    });

    it('is separate for a command of another name', async () => {
      const drill = await Drill.of(preset());
      const other = commandOf(drill.app.service, preset(), 'films');
      await drill.fail(20);
      await expect(other.execute(() => 'ok')).resolves.toBe('ok');
      const same = commandOf(drill.app.service, preset());
      await expect(same.execute(() => 'ok')).rejects.toBeInstanceOf(CircuitOpenError);
    });
  });
});

describe('the error percentage', () => {
  /** So many calls, with the failures last, as many as are needed to open. */
  async function failuresToOpen(policies: Policies, succeeding: number): Promise<number> {
    const drill = await Drill.of(policies);
    await drill.succeed(succeeding);
    let failures = 0;
    while (drill.state === 'closed' && failures < 200) {
      await drill.fail();
      failures += 1;
    }
    return failures;
  }

  it('of hystrix() is truncated: 49.7 % are not 50 %', async () => {
    // 101 good ones: 100 of 201 are 49.75 %, 101 of 202 are 50 %.
    await expect(failuresToOpen(hystrix(), 101)).resolves.toBe(101);
  });

  it('of hystrixGo() is rounded: 49.5 % are 50 %, 49.2 % are not', async () => {
    // 101 good ones: 98 of 199 are 49.25 %, 99 of 200 are 49.5 %.
    await expect(failuresToOpen(hystrixGo(), 101)).resolves.toBe(99);
  });

  it.each([
    // 1 of 100 is 1 %; 1 of 101 is less.
    ['hystrix()', 1, 99, 1],
    ['hystrix()', 1, 100, 2],
    // 33 of 100 are 33 %; 33 of 101 are less.
    ['hystrix()', 33, 67, 33],
    ['hystrix()', 33, 68, 34],
    // 1 of 200 is 0.5 %; 1 of 201 is less.
    ['hystrixGo()', 1, 199, 1],
    ['hystrixGo()', 1, 200, 2],
    // 13 of 40 are 32.5 %; 13 of 41 are less.
    ['hystrixGo()', 33, 27, 13],
    ['hystrixGo()', 33, 28, 14],
  ])('of %s is inclusive: %i %% after %i good calls at %i bad ones', async (...row) => {
    const [name, percent, good, bad] = row;
    await expect(failuresToOpen(presets[name]!({ percent }), good)).resolves.toBe(bad);
  });

  it.each(Object.keys(presets))('of 100 needs only failures: %s', async (name) => {
    const drill = await Drill.of(presets[name]!({ percent: 100 }));
    await drill.fail(20);
    expect(drill.state).toBe('open');
    const other = await Drill.of(presets[name]!({ percent: 100 }));
    await other.fail(19);
    await other.succeed();
    await other.fail(100);
    expect(other.state).toBe('closed');
  });
});
