import { get, type IncomingMessage } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { Booksvc } from './booksvc.js';
import { type Behaviour, BOOKS, databaseDown, StorageDouble } from './storage-double.js';

const TIMEOUT_MS = 1_000;
/** Calls that hystrix-go needs before it opens a circuit. */
const VOLUME = 20;

const shelf = { status: 200, body: { books: BOOKS } };
const notice = { status: 200, body: { books: [], notice: expect.any(String) } };

describe('GET /command of booksvc', () => {
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

  it('answers with the books while everything works', async () => {
    expect(await booksvc.ask('/command')).toMatchObject(shelf);
    expect(storage.requests).toBe(1);
  });

  it('answers by its fallback when the database is down, without a retry', async () => {
    storage.behave = databaseDown;
    expect(await booksvc.ask('/command')).toMatchObject(notice);
    expect(storage.requests).toBe(1);
  });

  it('answers by its fallback when storagesvc is absent', async () => {
    await storage.close();
    expect(await booksvc.ask('/command')).toMatchObject(notice);
  });

  it('answers by its fallback when storagesvc hangs, and abandons the request', async () => {
    const givenUp = new Promise<void>((resolve) => {
      const hang: Behaviour = (response) => {
        response.once('close', resolve);
        void turn().then(() => booksvc.clock.advance(TIMEOUT_MS));
      };
      storage.behave = hang;
    });

    const answer = await booksvc.ask('/command');
    await givenUp;

    expect(answer).toMatchObject({ ...notice, tookMs: TIMEOUT_MS });
  });

  it('spares storagesvc when too many calls have failed', async () => {
    storage.behave = databaseDown;
    for (let count = 0; count < VOLUME; count++) {
      await booksvc.ask('/command');
    }
    storage.requests = 0;

    expect(await booksvc.ask('/command')).toMatchObject(notice);
    expect(storage.requests).toBe(0);
  });

  it('is on the stream for the dashboard of Hystrix', async () => {
    await booksvc.ask('/command');
    const stream = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${booksvc.url}/hystrix.stream`, resolve).on('error', reject);
    });
    const [chunk] = (await stream.setEncoding('utf8').take(1).toArray()) as string[];

    expect(stream.headers['content-type']).toContain('text/event-stream');
    expect(chunk).toContain('"name":"my_command"');
  });
});
