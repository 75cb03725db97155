import { Injectable } from '@nestjs/common';
import { CircuitBreaker, ResilienceEvents } from '../src/index.js';
import { boot, closeAll } from './support/boot.js';
import { outcome } from './support/wait.js';

afterEach(closeAll);

@Injectable()
class Books {
  @CircuitBreaker({ consecutiveFailures: 1, openFor: '1s' })
  async list(fail: boolean): Promise<string> {
    if (fail) throw new Error('down');
    return 'books';
  }
}

function logger() {
  return { log: jest.fn(), warn: jest.fn(), error: jest.fn() };
}

describe('the log', () => {
  it('warns of each opening, and logs the rest at lower levels', async () => {
    const log = logger();
    const { app, clock } = await boot({ providers: [Books], resilience: { logger: log } });
    const books = app.get(Books);
    for (let round = 0; round < 2; round++) {
      await outcome(books.list(true));
      await clock.advance(1_000);
      await books.list(false);
    }
    const opened =
      'circuit "Books.list" is open, was closed: consecutive-failures; 1 of 1 calls failed = 100 %, 1 in a row (limit: 1 in a row), 0 were slow';
    expect(log.warn.mock.calls.flat()).toEqual([
      `${opened}; until 2026-01-01T00:00:01.000Z`,
      // The successful probe has started a new window.
      `${opened}; until 2026-01-01T00:00:02.000Z`,
    ]);
    expect(log.log.mock.calls.flat()).toContain(
      'circuit "Books.list" is closed, was half-open: probes-succeeded',
    );
  });

  it('reports a listener that keeps throwing once per minute, with a count', async () => {
    const log = logger();
    const { app, clock } = await boot({ providers: [Books], resilience: { logger: log } });
    app.get(ResilienceEvents).on('attempt', () => {
      throw new Error('a bug');
    });
    for (let i = 0; i < 1_000; i++) await app.get(Books).list(false);
    expect(log.warn).toHaveBeenCalledTimes(1);
    await clock.advance(60_000);
    await app.get(Books).list(false);
    expect(log.warn).toHaveBeenCalledTimes(2);
    expect(log.warn).toHaveBeenLastCalledWith(
      'a listener of ResilienceEvents threw Error: a bug (1001 times so far)',
    );
  });
});
