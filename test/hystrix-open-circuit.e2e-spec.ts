import { closeAll } from './support/boot.js';
import { hang } from './support/commands.js';
import { Drill, type Settings, boom, presets } from './support/hystrix-drill.js';
import { settle } from './support/wait.js';

afterEach(closeAll);

describe.each(Object.keys(presets))('a command with %s', (name) => {
  const preset = presets[name]!;

  describe('when the circuit is open', () => {
    const opened = async (settings?: Settings): Promise<Drill> => {
      const drill = await Drill.of(preset(settings));
      await drill.fail(20);
      expect(drill.state).toBe('open');
      return drill;
    };

    it('nothing runs before the sleep window is over; then exactly one probe does', async () => {
      const drill = await opened();
      await drill.advance(4_999);
      expect((await drill.burst(3)).ran).toBe(0);
      await drill.advance(1);
      const [probe] = drill.start();
      expect((await drill.burst(3)).ran).toBe(0);
      expect(drill.state).toBe('half-open');
      probe!.resolve(1);
      await settle();
      expect(drill.state).toBe('closed');
    });

    it('the sleep window can be changed', async () => {
      const drill = await opened({ sleepWindow: '1s' });
      await drill.advance(999);
      expect((await drill.burst(1)).ran).toBe(0);
      await drill.advance(1);
      expect((await drill.burst(1)).ran).toBe(1);
    });

    it('a probe that succeeds closes it, with empty counts', async () => {
      const drill = await opened();
      await drill.advance(5_000);
      await drill.succeed();
      expect(drill.state).toBe('closed');
      expect(drill.breaker.counts).toMatchObject({ requests: 0, failures: 0 });
      await drill.fail(19);
      expect(drill.state).toBe('closed');
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it.each([
      ['fails', 0],
      ['takes half a second to fail', 500],
    ])('a probe that %s opens it for a full sleep window from then on', async (_, ms) => {
      const drill = await opened();
      await drill.advance(5_000);
      const [probe] = drill.start();
      await drill.advance(ms);
      probe!.reject(boom);
      await settle();
      expect(drill.state).toBe('open');
      await drill.advance(4_999);
      expect((await drill.burst(1)).ran).toBe(0);
      await drill.advance(1);
      expect((await drill.burst(1)).ran).toBe(1);
      expect(drill.state).toBe('closed');
    });

    it('a probe that times out opens it, and its late success does not close it', async () => {
      const drill = await opened();
      await drill.advance(5_000);
      const [probe] = drill.start();
      await drill.advance(1_000);
      expect(drill.state).toBe('open');
      probe!.resolve(1);
      await settle();
      expect(drill.state).toBe('open');
      await drill.advance(4_999);
      expect((await drill.burst(1)).ran).toBe(0);
    });

    it('a probe that hangs has failed after a sleep window, and another one comes after the next', async () => {
      const drill = await opened({ timeout: '60s' });
      await drill.advance(5_000);
      const [hung] = drill.start();
      await drill.advance(4_999);
      expect((await drill.burst(3)).ran).toBe(0);
      await drill.advance(1);
      expect(drill.state).toBe('open'); // unlike theirs, which asks at once
      await drill.advance(5_000);
      const [second] = drill.start();
      expect((await drill.burst(3)).ran).toBe(0);
      hung!.resolve('late'); // unlike theirs: the first one decides nothing any more
      await settle();
      expect(drill.state).toBe('half-open');
      second!.resolve(1);
      await settle();
      expect(drill.state).toBe('closed');
    });

    it('a cancelled probe has no effect: the next call is a probe', async () => {
      const drill = await opened();
      await drill.advance(5_000);
      const handle = drill.command.queue(hang);
      expect((await drill.burst(1)).ran).toBe(0);
      handle.cancel();
      await settle();
      expect(drill.state).toBe('half-open');
      await drill.succeed();
      expect(drill.state).toBe('closed');
    });

    it('a success that was admitted before does not close it (unlike Hystrix)', async () => {
      const drill = await Drill.of(preset({ timeout: '60s' }));
      const [early, other, third] = drill.start(3);
      await drill.fail(20);
      early!.resolve('late');
      await settle();
      expect(drill.state).toBe('open');
      await drill.advance(5_000);
      const [probe] = drill.start();
      other!.resolve('late, while a probe runs');
      await settle();
      expect(drill.state).toBe('half-open');
      third!.reject(boom);
      await settle();
      expect(drill.state).toBe('half-open');
      expect(drill.breaker.stale).toBe(3);
      probe!.resolve(1);
      await settle();
      expect(drill.state).toBe('closed');
    });

    it('a failure that was admitted before does not keep it open for longer', async () => {
      const drill = await Drill.of(preset({ timeout: '60s' }));
      const [early] = drill.start();
      await drill.fail(20);
      await drill.advance(4_000);
      early!.reject(boom);
      await drill.advance(1_000);
      expect((await drill.burst(1)).ran).toBe(1);
    });

    it('rejected calls do not count in it', async () => {
      const drill = await opened();
      await drill.burst(100);
      expect(drill.breaker).toMatchObject({ rejected: 100, counts: { requests: 0, failures: 0 } });
      await drill.advance(5_000);
      await drill.succeed();
      await drill.fail(19);
      expect(drill.state).toBe('closed');
    });

    it('a fallback answers rejected calls at once', async () => {
      const drill = await opened({ fallback: () => 'none' });
      await expect(drill.call()).resolves.toBe('none');
    });
  });

  describe('an operator', () => {
    it('forces it open: nothing runs, not even a probe; fallbacks answer', async () => {
      const drill = await Drill.of(preset({ fallback: () => 'none' }));
      drill.app.registry.get('books').forceOpen({ by: 'anna' });
      for (let window = 0; window < 3; window++) {
        await expect(drill.call()).resolves.toBe('none');
        await drill.advance(5_000);
      }
      drill.app.registry.get('books').clearOverride();
      await expect(drill.call()).resolves.toBe('ok');
    });

    it('forces an open circuit open: there is no probe either (unlike Hystrix)', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(20);
      drill.app.registry.get('books').forceOpen();
      await drill.advance(5_000);
      expect((await drill.burst(3)).ran).toBe(0);
      drill.app.registry.get('books').clearOverride();
      await drill.succeed();
      expect(drill.state).toBe('closed');
    });

    it('disables it: all calls run and are counted, until the override is cleared', async () => {
      const drill = await Drill.of(preset());
      drill.app.registry.get('books').disable();
      await drill.fail(100);
      expect(drill.breaker).toMatchObject({ state: 'closed', counts: { failures: 100 } });
      expect(drill.breaker.metrics.counts.failure).toBe(100);
      drill.app.registry.get('books').clearOverride();
      await drill.fail();
      expect(drill.state).toBe('open');
    });

    it('changes its settings at run time', async () => {
      const drill = await Drill.of(preset());
      await drill.fail(5);
      drill.app.registry.reconfigure('books', { minimumCalls: 6, openFor: '1s' });
      await drill.fail();
      expect(drill.state).toBe('open');
      await drill.advance(1_000);
      expect((await drill.burst(1)).ran).toBe(1);
    });
  });
});
