import { KeyedParts } from './keyed-parts.js';

/** Parts that are idle when the test says so. */
function partsOf(maxParts: number) {
  const busy = new Set<string>();
  const full: number[] = [];
  const gone: string[] = [];
  const parts = new KeyedParts<string>(
    maxParts,
    (key) => `part of ${key}`,
    (part) => !busy.has(part),
    (max) => full.push(max),
    (part) => gone.push(part),
  );
  return { parts, full, gone, busy: (key: string) => busy.add(`part of ${key}`) };
}

describe('parts by key', () => {
  it('are created at their first use, and found afterwards', () => {
    const { parts } = partsOf(2);
    expect(parts.find('a')).toBeUndefined();
    expect(parts.obtain('a')).toBe('part of a');
    expect(parts.find('a')).toBe('part of a');
    expect([...parts.values()]).toEqual(['part of a']);
    expect(parts.size).toBe(1);
  });

  it('are removed one by one for new keys, when they are idle', () => {
    const { parts, gone, full } = partsOf(2);
    for (const key of ['a', 'b', 'c', 'd']) expect(parts.obtain(key)).toBe(`part of ${key}`);
    expect(gone).toEqual(['part of a', 'part of b']);
    expect(parts.size).toBe(2);
    expect(full).toEqual([]);
  });

  it('shrink to a lowered limit with the next new key', () => {
    const { parts, gone, full } = partsOf(4);
    for (const key of ['a', 'b', 'c', 'd']) parts.obtain(key);
    parts.maxParts = 2;
    expect(parts.obtain('e')).toBe('part of e');
    expect(gone).toEqual(['part of a', 'part of b', 'part of c']);
    expect(full).toEqual([]);
    expect(parts.size).toBe(2);
  });

  it('are checked from the first one again after the last one', () => {
    const { parts, gone, busy } = partsOf(3);
    for (const key of ['a', 'b', 'c']) parts.obtain(key);
    for (const key of ['a', 'b', 'c']) busy(key);
    expect(parts.obtain('d')).toBeUndefined();
    parts.maxParts = 4;
    parts.obtain('d');
    expect(parts.obtain('e')).toBe('part of e');
    expect(gone).toEqual(['part of d']);
  });

  it('are made and removed once, though checking one asks for another', () => {
    const made: string[] = [];
    const gone: string[] = [];
    const asked: unknown[] = [];
    let asking = false;
    const parts = new KeyedParts<string>(
      2,
      (key) => `${key}${made.push(key)}`,
      () => {
        if (!asking) {
          asking = true;
          asked.push(parts.obtain('c'));
        }
        return true;
      },
      () => {},
      (part) => gone.push(part),
    );
    parts.obtain('a');
    parts.obtain('b');
    expect([parts.obtain('c')]).toEqual(asked);
    expect(made).toEqual(['a', 'b', 'c']);
    expect(new Set(gone).size).toBe(gone.length);
    expect(parts.size).toBeLessThanOrEqual(2);
  });

  it('do not exist with a limit of 0', () => {
    const { parts, full } = partsOf(0);
    expect(parts.obtain('a')).toBeUndefined();
    expect(full).toEqual([0]);
  });
});
