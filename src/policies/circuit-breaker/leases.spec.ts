import { Leases } from './leases.js';
import { Permit } from './permit.js';

const permitAt = (at: number): Permit => new Permit({} as never, 0, false, at, 0);

describe('leases of several durations', () => {
  it.each([
    ['before', [50, 1_000]],
    ['after', [1_000, 50]],
  ])(
    'expire in the order of their ends, with the shorter ones begun %s the longer ones',
    (_when, durations) => {
      const leases = new Leases();
      const byDuration = new Map<number, Permit>();
      for (const duration of durations) {
        const permit = permitAt(byDuration.size * 10);
        byDuration.set(duration, permit);
        leases.add(permit, duration);
      }
      const [short, long] = [byDuration.get(50)!, byDuration.get(1_000)!];
      expect(leases.first).toBe(short);
      expect(leases.nextExpiry).toBe(short.admittedAt + 50);
      short.queue!.remove(short);
      expect(leases.first).toBe(long);
      expect(leases.nextExpiry).toBe(long.admittedAt + 1_000);
      expect([...leases]).toEqual([long]);
      long.queue!.remove(long);
      expect(leases.first).toBeUndefined();
      expect(leases.nextExpiry).toBe(Infinity);
    },
  );

  it('keep their order when an earlier duration returns', () => {
    const leases = new Leases();
    const [first, second, third] = [permitAt(0), permitAt(10), permitAt(20)];
    leases.add(first, 1_000);
    leases.add(second, 500);
    leases.add(third, 1_000);
    expect(leases.first).toBe(second);
    second.queue!.remove(second);
    expect([...leases]).toEqual([first, third]);
    expect(leases.nextExpiryUpTo(999)).toBe(Infinity);
    expect(leases.nextExpiryUpTo(1_000)).toBe(1_000);
  });
});
