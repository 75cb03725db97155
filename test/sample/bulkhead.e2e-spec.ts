import { setImmediate as turn } from 'node:timers/promises';
import { Booksvc } from './booksvc.js';
import { answer, BOOKS, databaseDown, StorageDouble } from './storage-double.js';

const CONCURRENT = 20;
const QUEUE = 100;
const MAX_WAIT_MS = 250;

describe('the bulkhead of booksvc', () => {
  let storage: StorageDouble;
  let booksvc: Booksvc;

  beforeEach(async () => {
    storage = new StorageDouble();
    await storage.open();
  });

  afterEach(async () => {
    await booksvc.close();
    await storage.close();
  });

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await turn();
    }
  }

  /** storagesvc hangs, and each route has books to answer with. */
  async function hang(): Promise<() => void> {
    const paths = ['/', '/circuit-breaker', '/books/1'];
    await Promise.all(paths.map((path) => booksvc.ask(path)));
    const { behave } = storage;
    const held: (() => void)[] = [];
    storage.requests = 0;
    storage.behave = (...request) => void held.push(() => behave(...request));
    return () => held.forEach((go) => go());
  }

  it('is shared by all routes that call storagesvc; requests without a place get stale books at once', async () => {
    booksvc = await Booksvc.start(storage, { BULKHEAD_MAX_QUEUE: '0' });
    const letGo = await hang();
    const inside = Array.from({ length: CONCURRENT }, () => booksvc.ask('/'));
    await until(() => storage.requests === CONCURRENT);

    for (const path of ['/', '/circuit-breaker', '/books/1']) {
      const { status, headers, tookMs } = await booksvc.ask(path);
      expect({ status, tookMs }).toEqual({ status: 200, tookMs: 0 });
      expect(headers['cache-status']).toContain('stale');
    }
    expect(await booksvc.ask('/retry')).toMatchObject({
      status: 503,
      body: { code: 'BULKHEAD_FULL' },
    });
    expect(storage.requests).toBe(CONCURRENT);
    expect(booksvc.breaker.state).toBe('closed');

    letGo();
    for (const { status, headers } of await Promise.all(inside)) {
      expect(status).toBe(200);
      expect(headers['cache-status']).toContain('live');
    }
  });

  it('lets a burst wait, but not for long', async () => {
    booksvc = await Booksvc.start(storage);
    const letGo = await hang();
    const inside = Array.from({ length: CONCURRENT }, () => booksvc.ask());
    await until(() => storage.requests === CONCURRENT);
    const waiting = Array.from({ length: QUEUE }, () => booksvc.ask());
    await until(() => booksvc.bulkhead.waiting === QUEUE);

    expect(await booksvc.ask()).toMatchObject({ status: 200, tookMs: 0 });
    await booksvc.clock.advance(MAX_WAIT_MS);
    for (const { status, headers, tookMs } of await Promise.all(waiting)) {
      expect({ status, tookMs }).toEqual({ status: 200, tookMs: MAX_WAIT_MS });
      expect(headers['cache-status']).toContain('stale');
    }
    expect(storage.requests).toBe(CONCURRENT);

    letGo();
    await Promise.all(inside);
  });

  it('can be removed for comparison', async () => {
    booksvc = await Booksvc.start(storage, { PROTECTION: 'no-bulkhead' });
    const letGo = await hang();
    const inside = Array.from({ length: 2 * CONCURRENT }, () => booksvc.ask());
    await until(() => storage.requests === 2 * CONCURRENT);
    letGo();
    await Promise.all(inside);

    storage.behave = databaseDown;
    const { status, headers } = await booksvc.ask();
    expect(status).toBe(200);
    expect(headers['cache-status']).toContain('stale');
  });
});

describe('booksvc with PROTECTION=off', () => {
  it('has no policy at all', async () => {
    const storage = new StorageDouble();
    await storage.open();
    const booksvc = await Booksvc.start(storage, { PROTECTION: 'off' });
    expect(await booksvc.ask()).toMatchObject({ status: 200, body: BOOKS });

    storage.requests = 0;
    storage.behave = answer(500, {});
    const paths = ['/', '/circuit-breaker', '/retry', '/books/1', '/command'];
    for (let round = 0; round < 5; round++) {
      for (const path of paths) {
        expect((await booksvc.ask(path)).status).toBe(503);
      }
    }
    expect(storage.requests).toBe(5 * paths.length);

    await booksvc.close();
    await storage.close();
  });
});
