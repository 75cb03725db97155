import { FRAGILE, Harness } from '../../test/support/breaker.js';
import { Pulse } from './pulse.js';

/** A machine whose time and event loop the test moves. */
class Machine {
  time = 1_000_000;
  beat: (() => void) | undefined = undefined;
  readonly pulse = new Pulse(
    () => this.time,
    (callback, ms) => {
      expect(ms).toBe(100);
      this.beat = callback;
      return () => {
        this.beat = undefined;
      };
    },
  );

  /** The loop turns as it should. */
  run(ms: number): void {
    for (let left = ms; left > 0; left -= 100) {
      this.time += 100;
      this.beat?.();
    }
  }

  /** The loop does not turn. */
  stop(ms: number): void {
    this.time += ms;
  }

  missed(): number {
    return this.pulse.missed(this.time);
  }
}

describe('Pulse', () => {
  it('has missed nothing while it beats on time', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 10_000);
    machine.run(5_000);
    expect(machine.missed()).toBe(Infinity);
    expect(machine.pulse.lost(0, machine.time)).toBe(0);
  });

  it('reports the missed time until five beats on time have followed the late one', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 2_000);
    machine.run(300);
    const last = machine.time;
    machine.stop(5_000);
    expect(machine.missed()).toBe(last);
    machine.beat!();
    expect(machine.missed()).toBe(last);
    machine.run(400);
    expect(machine.missed()).toBe(last);
    machine.run(100);
    expect(machine.missed()).toBe(Infinity);
  });

  it('does not count a beat that is a little late as late', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 2_000);
    machine.stop(150);
    expect(machine.missed()).toBe(Infinity);
    machine.stop(1);
    expect(machine.missed()).not.toBe(Infinity);
  });

  it('reports nothing as missed after twenty beats, even if the loop is late each time', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 60_000);
    const due = machine.time + 1;
    for (let beat = 0; beat <= 20; beat++) {
      machine.stop(200);
      expect(machine.missed()).toBeLessThan(due);
      machine.beat!();
    }
    expect(machine.missed()).toBeGreaterThan(due);
  });

  it('beats only while something waits for it', () => {
    const machine = new Machine();
    expect(machine.beat).toBeUndefined();
    machine.pulse.watch(machine.time + 1_000);
    machine.pulse.watch(machine.time + 500);
    machine.run(900);
    expect(machine.beat).toBeDefined();
    machine.run(100);
    expect(machine.beat).toBeUndefined();
    machine.pulse.watch(machine.time + 1_000);
    expect(machine.beat).toBeDefined();
    expect(machine.missed()).toBe(Infinity);
  });

  it('goes on beating when it is watched for longer, and keeps the missed time', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 1_000);
    const first = machine.beat;
    machine.run(300);
    machine.pulse.watch(machine.time + 5_000);
    expect(machine.beat).toBe(first);
    machine.run(2_000);
    expect(machine.beat).toBeDefined();
  });

  it('rests when nothing waits for it any more, and starts again when something does', () => {
    const machine = new Machine();
    machine.pulse.rest();
    machine.pulse.watch(machine.time + 60_000);
    const began = machine.time;
    machine.stop(1_000);
    machine.beat!();
    expect(machine.pulse.lost(began, machine.time)).toBe(1_000);
    machine.pulse.rest();
    expect(machine.beat).toBeUndefined();
    expect(machine.missed()).toBe(Infinity);
    expect(machine.pulse.lost(began, machine.time)).toBe(0);
    machine.stop(5_000);
    machine.pulse.watch(machine.time + 1_000);
    expect(machine.beat).toBeDefined();
    machine.run(100);
    expect(machine.missed()).toBe(Infinity);
    expect(machine.pulse.lost(began, machine.time)).toBe(0);
  });

  it('knows nothing while it does not beat', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 100);
    machine.run(100);
    expect(machine.beat).toBeUndefined();
    machine.stop(10_000);
    expect(machine.missed()).toBe(Infinity);
    expect(machine.pulse.lost(0, machine.time)).toBe(0);
  });

  it('remembers the last eight times that the loop was blocked', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 60_000);
    const began = machine.time;
    for (let gap = 1; gap <= 9; gap++) {
      machine.stop(1_000 + gap);
      machine.beat!();
    }
    const all = [2, 3, 4, 5, 6, 7, 8, 9].reduce((sum, gap) => sum + 1_000 + gap, 0);
    expect(machine.pulse.lost(began, machine.time)).toBe(all);
  });

  it('takes a time for one of the machine when it is less than 50 ms away', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 60_000);
    machine.stop(5_000);
    expect(machine.pulse.missed(machine.time - 50)).not.toBe(Infinity);
    expect(machine.pulse.missed(machine.time - 51)).toBe(Infinity);
    expect(machine.pulse.lost(machine.time - 1_000, machine.time + 50)).toBe(1_050);
    expect(machine.pulse.lost(machine.time - 1_000, machine.time + 51)).toBe(0);
  });

  it('has recovered after five beats on time, and counts to twenty again from then on', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 60_000);
    for (let round = 0; round < 4; round++) {
      machine.stop(1_000);
      machine.beat!();
      machine.run(400);
      expect(machine.missed()).not.toBe(Infinity);
      machine.run(100);
      expect(machine.missed()).toBe(Infinity);
    }
  });

  it('counts the lost part of a time', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 60_000);
    const began = machine.time;
    machine.run(1_000);
    machine.stop(3_000);
    expect(machine.pulse.lost(began, machine.time)).toBe(3_000);
    machine.beat!();
    machine.run(1_000);
    machine.stop(500);
    machine.beat!();
    expect(machine.pulse.lost(began, machine.time)).toBe(3_500);
    expect(machine.pulse.lost(began + 2_000, machine.time)).toBe(2_500);
    expect(machine.pulse.lost(machine.time - 10, machine.time)).toBe(10);
  });

  it('reports nothing for times of another clock', () => {
    const machine = new Machine();
    machine.pulse.watch(machine.time + 60_000);
    machine.stop(5_000);
    expect(machine.pulse.missed(61_000)).toBe(Infinity);
    expect(machine.pulse.lost(0, 61_000)).toBe(0);
  });
});

describe('a breaker in a process that was suspended', () => {
  function suspended(options = {}): { machine: Machine; harness: Harness } {
    const machine = new Machine();
    const harness = new Harness({ ...FRAGILE, maxCallDuration: '2s', ...options }, machine.pulse);
    Object.defineProperty(harness, 'time', {
      get: () => machine.time,
      set: (time: number) => void (machine.time = time),
    });
    return { machine, harness };
  }

  it('lets calls that ended in time settle before it takes them for hung', () => {
    const { machine, harness } = suspended();
    machine.run(1_000);
    const calls = [harness.admit(), harness.admit()];
    machine.run(500);
    machine.stop(5_000);
    expect(harness.breaker.state).toBe('closed'); // the breaker is read first
    harness.succeed(); // and calls
    machine.beat!();
    for (const call of calls) call.success();
    machine.run(1_000);
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'closed', stale: 0 });
    expect(harness.breaker.counts).toMatchObject({ successes: 3, failures: 0 });
  });

  it('still finds hanging calls, half a second later', () => {
    const { machine, harness } = suspended();
    harness.admit();
    machine.stop(5_000);
    machine.beat!();
    machine.run(400);
    expect(harness.breaker.state).toBe('closed');
    machine.run(100);
    expect(harness.breaker.state).toBe('open');
  });

  it('finds calls that hung before it was suspended', () => {
    const { machine, harness } = suspended();
    harness.admit();
    machine.run(2_100);
    machine.stop(5_000);
    expect(harness.breaker.state).toBe('open');
  });

  it('lets probes settle too, and opens as of the end of the lease when they do not', () => {
    const { machine, harness } = suspended({ halfOpen: { maxDuration: '2s' }, openFor: '10s' });
    harness.fail();
    machine.run(10_000);
    const probe = harness.admit();
    machine.stop(5_000);
    expect(harness.isRejecting).toBe(true);
    machine.beat!();
    probe.success();
    expect(harness.breaker.state).toBe('closed');

    harness.fail();
    machine.run(10_000);
    harness.admit();
    machine.stop(5_000);
    machine.beat!();
    machine.run(500);
    expect(harness.breaker.snapshot()).toMatchObject({ state: 'open', retryAfterMs: 6_500 });
  });

  it('does not take calls for slow because of the suspension', () => {
    const { machine, harness } = suspended({
      slowCallRate: 1,
      slowCallDuration: '1s',
      minimumCalls: 1,
    });
    const call = harness.admit();
    machine.run(200);
    machine.stop(1_900);
    machine.beat!();
    call.success();
    expect(harness.breaker.counts).toMatchObject({ successes: 1, slow: 0 });
    const slow = harness.admit();
    machine.run(1_100);
    slow.success();
    expect(harness.breaker.counts).toMatchObject({ successes: 2, slow: 1 });
  });
});
