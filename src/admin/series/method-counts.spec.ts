import { MethodCounts } from './method-counts.js';

const answered = { type: 'fallback', name: 'books', callId: 1, handler: 'x', error: 0 } as const;

describe('the counts of a method', () => {
  it('tell stale answers from other fallbacks, and leave out fallbacks that failed', () => {
    const counts = new MethodCounts();
    counts.record({ ...answered, outcome: 'success', stale: true, ageMs: 7 });
    counts.record({ ...answered, outcome: 'success' });
    counts.record({ ...answered, outcome: 'failure', stale: true });
    expect(counts.take().get('books')?.values()).toMatchObject({ fallbacks: 0.4, stale: 0.2 });
    expect(counts.take().size).toBe(0);
  });
});
