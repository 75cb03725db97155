import { Liveness, tellNotLive } from './liveness.js';

describe('Liveness', () => {
  it('hears of answers that are not live, and so does who watches around it', () => {
    const outer = new Liveness();
    let within!: Liveness;
    outer.watch(() => {
      within = new Liveness();
      within.watch(() => tellNotLive('stale', 7));
    });
    expect([outer, within]).toMatchObject([
      { source: 'stale', ageMs: 7 },
      { source: 'stale', ageMs: 7 },
    ]);
  });

  it('hears nothing after its end; who is around it still does', () => {
    const outer = new Liveness();
    let later!: () => void;
    let within!: Liveness;
    outer.watch(() => {
      within = new Liveness();
      within.watch(() => {
        later = () => within.watch(() => tellNotLive('fallback'));
      });
      within.end();
    });
    later();
    expect(within.live).toBe(true);
    expect(outer.live).toBe(false);
  });

  it('takes a stale answer for worse than any other, and knows the age of the oldest', () => {
    const liveness = new Liveness();
    expect(liveness).toMatchObject({ live: true, source: 'live', ageMs: undefined });
    liveness.tell('fallback', undefined);
    expect(liveness).toMatchObject({ source: 'fallback', ageMs: undefined });
    liveness.tell('stale', 7);
    liveness.tell('stale', 3);
    liveness.tell('fallback', undefined);
    expect(liveness).toMatchObject({ live: false, source: 'stale', ageMs: 7 });
  });

  it('is not told by code that nobody watches, or does not any more', () => {
    expect(() => tellNotLive('fallback')).not.toThrow();
    const liveness = new Liveness();
    liveness.end();
    expect(() => liveness.watch(() => tellNotLive('fallback'))).not.toThrow();
    expect(liveness.live).toBe(true);
  });

  it('makes no chain of those that have ended, however long work begins work', () => {
    let last = new Liveness();
    for (let round = 0; round < 50_000; round++) {
      last.watch(() => {
        const next = new Liveness();
        last.end();
        last = next;
      });
    }
    expect(() => last.watch(() => tellNotLive('fallback'))).not.toThrow();
    expect(last.live).toBe(false);
    last.watch(() => last.end());
    expect(last.running).toBeUndefined();
  });
});
