import type { AdminSeries } from '../../src/admin/contract.js';
import { Histories, summed } from '../../ui/src/histories.js';

const STEP = 5_000;

const seriesOf = (name: string, requests: readonly number[]): AdminSeries => ({
  part: 'method',
  name,
  until: 100 * STEP,
  stepMs: STEP,
  values: { requests, retries: requests },
});

const sampleOf = (name: string, requests: number) =>
  ({ part: 'method', name, values: { requests, retries: requests } }) as const;

describe('the histories of the page', () => {
  const started = (): Histories => {
    const histories = new Histories();
    histories.add(seriesOf('books', [1, 2, 3]));
    return histories;
  };

  it('grow step by step; a part without a sample has the value 0', () => {
    const histories = started();
    histories.step(101 * STEP, [sampleOf('films', 7)]);
    expect(histories.of('method', 'books')!.requests).toEqual([1, 2, 3, 0]);
    expect(histories.of('method', 'films')!.requests).toEqual([0, 0, 0, 7]);
  });

  it('have a gap where steps were missed', () => {
    const histories = started();
    histories.step(104 * STEP, [sampleOf('books', 4)]);
    const { requests, times } = histories.of('method', 'books')!;
    expect(requests).toEqual([1, 2, 3, null, null, null, 4]);
    expect(times).toEqual([98, 99, 100, 101, 102, 103, 104].map((at) => (at * STEP) / 1_000));
  });

  it('have that gap too for parts without earlier samples', () => {
    const histories = started();
    histories.step(103 * STEP, [sampleOf('books', 4)]);
    histories.step(104 * STEP, [sampleOf('films', 7)]);
    expect(histories.of('method', 'films')!.requests).toEqual([0, 0, 0, null, null, 0, 7]);
  });

  it('keep the gap where it is, until it is a quarter of an hour old', () => {
    const histories = started();
    histories.step(103 * STEP, [sampleOf('books', 4)]);
    for (let at = 104; at < 104 + 177; at++) histories.step(at * STEP, [sampleOf('books', at)]);
    const last = histories.of('method', 'books')!.requests;
    expect(last).toHaveLength(180);
    expect(last.slice(0, 4)).toEqual([null, null, 4, 104]);
    histories.step(281 * STEP, [sampleOf('films', 1)]);
    expect(histories.of('method', 'films')!.requests.indexOf(null)).toBe(0);
    histories.step(282 * STEP, [sampleOf('films', 1)]);
    expect(histories.of('method', 'films')!.requests).not.toContain(null);
  });

  it('have a sum with the same gap', () => {
    const histories = started();
    histories.step(102 * STEP, [sampleOf('books', 4), sampleOf('films', 7)]);
    const both = ['books', 'films'].map((name) => histories.of('method', name)!);
    expect(summed(both, 'retries')).toEqual([1, 2, 3, null, 11]);
  });

  it('are a gap only after a long absence', () => {
    const histories = started();
    histories.step(1_000 * STEP, [sampleOf('books', 4)]);
    const { requests } = histories.of('method', 'books')!;
    expect(requests).toHaveLength(180);
    expect(requests.filter((value) => value !== null)).toEqual([4]);
  });
});
