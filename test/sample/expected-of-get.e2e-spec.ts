import { get } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { Booksvc } from './booksvc.js';
import {
  answer,
  type Behaviour,
  BOOKS,
  databaseDown,
  healthy,
  StorageDouble,
} from './storage-double.js';

const TOTAL_TIMEOUT_MS = 5_000;
const ATTEMPT_TIMEOUT_MS = 1_000;
const OPEN_FOR_MS = 5_000;

const live = {
  status: 200,
  body: BOOKS,
  headers: expect.objectContaining({ 'cache-status': expect.stringContaining('live') }),
};
const stale = {
  status: 200,
  body: BOOKS,
  headers: expect.objectContaining({
    'cache-status': expect.stringContaining('stale'),
    age: expect.stringMatching(/^\d+$/),
  }),
};

/** The table "Expected of GET /": booksvc with its default settings and a warm cache, unless stated otherwise. */
describe('GET / of booksvc', () => {
  let storage: StorageDouble;
  let booksvc: Booksvc;

  beforeEach(async () => {
    storage = new StorageDouble();
    await storage.open();
    booksvc = await Booksvc.start(storage);
  });

  afterEach(async () => {
    await booksvc.close();
    await storage.close();
  });

  async function warmUp(): Promise<void> {
    expect(await booksvc.ask()).toMatchObject(live);
    storage.requests = 0;
  }

  /** Never answers; for the test, the attempt's time is over as soon as the request is there. */
  const hang: Behaviour = () => {
    void turn().then(() => booksvc.clock.advance(ATTEMPT_TIMEOUT_MS));
  };

  async function openBreaker(): Promise<void> {
    storage.behave = databaseDown;
    expect(await booksvc.ask()).toMatchObject(stale);
    expect(booksvc.breaker.state).toBe('open');
    storage.requests = 0;
  }

  it('answers live while everything works', async () => {
    expect(await booksvc.ask()).toMatchObject(live);
    expect(storage.requests).toBe(1);
  });

  it('answers stale within the total timeout when the database goes down, and opens the breaker', async () => {
    await warmUp();
    storage.behave = databaseDown;

    const given = await booksvc.ask();

    expect(given).toMatchObject(stale);
    expect(given.tookMs).toBeLessThanOrEqual(TOTAL_TIMEOUT_MS);
    expect(booksvc.breaker.state).toBe('open');
    expect(storage.requests).toBe(3);
  });

  it('answers stale at once, without a call, while the breaker is open', async () => {
    await warmUp();
    await openBreaker();

    const given = await booksvc.ask();

    expect(given).toMatchObject(stale);
    expect(given.tookMs).toBe(0);
    expect(storage.requests).toBe(0);
  });

  it('gives the age of a stale answer', async () => {
    await warmUp();
    await openBreaker();
    await booksvc.clock.advance(3_000);

    const { headers } = await booksvc.ask();

    // 500 + 750 ms of waits until the third failure opened the breaker, and 3 s.
    expect(headers.age).toBe('4');
  });

  describe.each<[string, Behaviour]>([
    ['500', answer(500, {})],
    ['502', answer(502, {})],
    ['503', answer(503, {})],
    ['504', answer(504, {})],
    ['malformed JSON', answer(200, '[{"id":1,"tit')],
    ['something else than books', answer(200, { error: 'no' })],
    ['null', answer(200, 'null')],
    ['a reset', (_response, request) => request.socket.resetAndDestroy()],
    ['nothing (hangs)', (response, request) => hang(response, request)],
  ])('when storagesvc answers %s', (_name, fault) => {
    it('answers stale within the total timeout, and keeps the cache', async () => {
      await warmUp();
      storage.behave = fault;

      const given = await booksvc.ask();
      const again = await booksvc.ask();

      expect(given).toMatchObject(stale);
      expect(given.tookMs).toBeLessThanOrEqual(TOTAL_TIMEOUT_MS);
      expect(again).toMatchObject(stale);
    });
  });

  it('answers stale within the total timeout when storagesvc refuses connections', async () => {
    await warmUp();
    await storage.close();

    const given = await booksvc.ask();

    expect(given).toMatchObject(stale);
    expect(given.tookMs).toBeLessThanOrEqual(TOTAL_TIMEOUT_MS);
    expect(booksvc.breaker.state).toBe('open');
  });

  it('answers 404 with 404: not retried, not counted, cache unchanged', async () => {
    await warmUp();
    storage.behave = answer(404, { message: 'Not Found' });

    const given = await Promise.all([booksvc.ask(), booksvc.ask(), booksvc.ask()]);

    expect(given.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(storage.requests).toBe(3);
    expect(booksvc.count('retry')).toBe(0);
    expect(booksvc.breaker.state).toBe('closed');
    expect(booksvc.breaker.counts).toMatchObject({ failures: 0, ignored: 0 });
    storage.behave = databaseDown;
    expect(await booksvc.ask()).toMatchObject(stale);
  });

  it('answers 503 with Retry-After and a JSON error when the cache is cold', async () => {
    storage.behave = databaseDown;

    const closed = await booksvc.ask();
    const open = await booksvc.ask();

    for (const { status, headers, body } of [closed, open]) {
      expect(status).toBe(503);
      expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
      expect(headers['content-type']).toContain('application/json');
      expect(body).toMatchObject({ statusCode: 503, message: expect.any(String) });
    }
  });

  it('answers 504 when the cache is cold and storagesvc hangs, and 503 once the breaker is open', async () => {
    storage.behave = hang;

    const closed = await booksvc.ask();
    const open = await booksvc.ask();

    expect(closed).toMatchObject({ status: 504, body: { code: 'TIMEOUT' } });
    expect(open).toMatchObject({ status: 503, body: { code: 'CIRCUIT_OPEN' } });
    expect(open.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });

  it('shares its breaker with GET /books/:id', async () => {
    await warmUp();
    const book = { ...live, body: BOOKS[0] };
    expect(await booksvc.ask('/books/1')).toMatchObject(book);
    await openBreaker();

    expect(await booksvc.ask('/books/1')).toMatchObject({ ...stale, body: BOOKS[0], tookMs: 0 });
    expect(storage.requests).toBe(0);
    // The route that has a breaker only is there to be compared: it has its own.
    expect((await booksvc.ask('/circuit-breaker')).status).toBe(503);
    expect(storage.requests).toBe(1);
  });

  it('lets the probe decide, and answers a request beside it stale at once', async () => {
    await warmUp();
    await openBreaker();
    await booksvc.clock.advance(OPEN_FOR_MS);
    let letGo = (): void => undefined;
    const probeArrived = new Promise<void>((resolve) => {
      storage.behave = (response, request) => {
        letGo = () => healthy(response, request);
        resolve();
      };
    });

    const probe = booksvc.ask();
    await probeArrived;
    const other = await booksvc.ask();
    letGo();

    expect(other).toMatchObject(stale);
    expect(other.tookMs).toBe(0);
    expect(await probe).toMatchObject(live);
    expect(storage.requests).toBe(1);
    expect(booksvc.breaker.state).toBe('closed');
  });

  it('recovers after a probe that hangs', async () => {
    await warmUp();
    await openBreaker();
    await booksvc.clock.advance(OPEN_FOR_MS);
    storage.behave = hang;

    expect(await booksvc.ask()).toMatchObject(stale);
    expect(storage.requests).toBe(1);

    storage.behave = healthy;
    await booksvc.clock.advance(OPEN_FOR_MS);
    expect(await booksvc.ask()).toMatchObject(live);
    expect(booksvc.breaker.state).toBe('closed');
  });

  it('makes no further attempt when the client disconnects', async () => {
    await warmUp();
    const asked = new Promise<void>((resolve) => {
      storage.behave = () => resolve();
    });
    const request = get(booksvc.url);
    const gone = new Promise<void>((resolve) => request.on('error', () => resolve()));

    await asked;
    request.destroy();
    await gone;
    storage.behave = databaseDown;
    for (let i = 0; i < 20; i++) {
      await turn();
      await booksvc.clock.advance(TOTAL_TIMEOUT_MS);
    }

    expect(storage.requests).toBe(1);
    expect(booksvc.count('retry')).toBe(0);
  });

  it('answers live after the open time when the database is back, and closes the breaker', async () => {
    await warmUp();
    await openBreaker();
    storage.behave = healthy;
    await booksvc.clock.advance(OPEN_FOR_MS);

    expect(await booksvc.ask()).toMatchObject(live);
    expect(booksvc.breaker.state).toBe('closed');
    expect(storage.requests).toBe(1);
  });

  // `npm run sample:outage` sends 10 000 to real processes; here each answer is looked at, and time passes meanwhile.
  it('serves any number of requests at 200 at a time during an outage', async () => {
    await warmUp();
    storage.behave = databaseDown;
    const atATime = 200;
    const probes = 4;
    let probed = 0;
    let sent = 0;
    const customer = async (): Promise<void> => {
      while (sent < 10 * atATime) {
        sent += 1;
        if (sent % (2 * atATime) === 0) {
          probed += 1;
          await booksvc.clock.advance(OPEN_FOR_MS);
        }
        expect(await booksvc.ask()).toMatchObject(stale);
      }
    };

    await Promise.all(Array.from({ length: atATime }, customer));

    // Requests on their way when the breaker opened, and a probe each time that it has been open for long enough.
    expect(probed).toBeGreaterThanOrEqual(probes);
    expect(storage.requests).toBeGreaterThan(probes);
    expect(storage.requests).toBeLessThanOrEqual(atATime + probed);
  }, 60_000);
});
