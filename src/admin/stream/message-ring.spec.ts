import { MessageRing } from './message-ring.js';

describe('the latest messages', () => {
  const textsAfter = (ring: MessageRing, number: number): string[] => {
    const texts: string[] = [];
    for (let next = ring.after(number); next !== undefined; next = ring.after(next.number)) {
      texts.push(next.bytes.toString());
    }
    return texts;
  };

  it('are there for who has missed a few', () => {
    const ring = new MessageRing(3);
    for (let time = 0; time < 5; time++) ring.add((number) => `m${number}`);
    expect([1, 2, 4, 5, 6].map((number) => ring.reaches(number))).toEqual([
      false,
      true,
      true,
      true,
      false,
    ]);
    expect(textsAfter(ring, 2)).toEqual(['m3', 'm4', 'm5']);
    expect(textsAfter(ring, 5)).toEqual([]);
  });

  it('never take more room than they may', () => {
    const ring = new MessageRing(100, 10);
    ring.add(() => 'x'.repeat(8));
    ring.add(() => 'y'.repeat(8));
    expect(textsAfter(ring, 1)).toEqual(['yyyyyyyy']);
    ring.add(() => 'z'.repeat(80));
    expect(ring.reaches(2)).toBe(false);
    expect(ring.reaches(3)).toBe(true);
  });
});
