import { Booksvc } from './booksvc.js';
import { answer, type Behaviour, StorageDouble } from './storage-double.js';

const RATES = [
  { service: 'standard', days: 4, cents: 299 },
  { service: 'express', days: 1, cents: 899 },
];

describe('GET /shipping of booksvc', () => {
  let storagesvc: StorageDouble;
  let shippingsvc: StorageDouble;
  let booksvc: Booksvc;

  beforeEach(async () => {
    storagesvc = new StorageDouble();
    shippingsvc = new StorageDouble();
    await Promise.all([storagesvc.open(), shippingsvc.open()]);
    shippingsvc.behave = answer(200, RATES);
    booksvc = await Booksvc.start(storagesvc, { SHIPPING_URL: shippingsvc.url });
  });

  afterEach(async () => {
    await booksvc.close();
    await Promise.all([storagesvc.close(), shippingsvc.close()]);
  });

  it('answers with the rates of shippingsvc, without a call of storagesvc', async () => {
    expect(await booksvc.ask('/shipping')).toMatchObject({ status: 200, body: RATES });
    expect(shippingsvc.requests).toBe(1);
    expect(storagesvc.requests).toBe(0);
  });

  it('answers 503 with Retry-After and a JSON error when shippingsvc is absent', async () => {
    await shippingsvc.close();

    const { status, headers, body } = await booksvc.ask('/shipping');

    expect(status).toBe(503);
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(body).toEqual({ statusCode: 503, message: 'The shipping rates are not available now' });
  });

  it.each<[string, Behaviour]>([
    ['no list', answer(200, { error: 'no' })],
    ['something else than rates', answer(200, [{ service: 'standard' }])],
  ])('answers 502 when shippingsvc sends %s', async (_name, fault) => {
    shippingsvc.behave = fault;
    expect((await booksvc.ask('/shipping')).status).toBe(502);
  });
});
