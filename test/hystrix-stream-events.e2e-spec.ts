import { Logger } from '@nestjs/common';
import { type Platform, closeAll, everyPlatform } from './support/boot.js';
import { counting, sent, streamingOn } from './support/hystrix-stream.js';
import { type Reader, kindsOf, others, read, required } from './support/hystrix.js';
import { until } from './support/wait.js';

afterEach(() => jest.restoreAllMocks());
afterEach(closeAll);

/** The latest event of each name. */
const tiles = ({ events }: Reader): Map<unknown, Record<string, unknown>> =>
  new Map(events.map((event) => [event.name, event]));

describe.each(everyPlatform)('the Hystrix stream on %s', (platform: Platform) => {
  const streaming = streamingOn(platform);

  describe('tells', () => {
    it('all events at once, and then at each interval', async () => {
      const { url } = await streaming({}, counting());
      const reader = await read(`${url}/hystrix.stream`);
      expect(reader.status).toBe(200);
      expect(reader.headers).toMatchObject({
        'content-type': 'text/event-stream;charset=UTF-8',
        'cache-control': 'no-cache, no-store, max-age=0, must-revalidate, no-transform',
        pragma: 'no-cache',
        'x-accel-buffering': 'no',
      });
      await until(() => reader.events.length >= 15);
      expect(reader.text.replaceAll(/data: \{.*\}\n\n/g, '')).toBe('');
      reader.disconnect();
    });

    it('each command, and each breaker without a command of its name, once', async () => {
      const { url } = await streaming({ interval: '5s' }, counting());
      const reader = await read(`${url}/hystrix.stream`);
      await until(() => reader.events.length >= 5);
      expect(reader.events.map(({ name }) => name).sort()).toEqual([
        'reviews', // of a decorated method
        'shop.authors', // its breaker has the same name
        'shop.books',
        'shop.covers',
        'storagesvc',
      ]);
      reader.disconnect();
    });

    it('only values that Hystrix’ dashboard accepts, under load', async () => {
      const { url } = await streaming({}, counting());
      const reader = await read(`${url}/hystrix.stream`);
      const ids = ['5', 'missing', 'down', '7', 'down'];
      for (let round = 0; round < 20; round++) {
        await Promise.all(ids.map(async (id) => (await fetch(`${url}/books/${id}`)).text()));
      }
      await sent(reader);
      expect(reader.events.length).toBeGreaterThan(8);
      for (const event of reader.events) {
        expect(kindsOf(event)).toEqual({ ...required, ...others });
        expect(Math.abs(Date.now() - Number(event.currentTime))).toBeLessThan(60_000);
      }
      expect(tiles(reader).get('storagesvc')).toMatchObject({
        rollingCountSuccess: 60, // a 404 is an answer
        rollingCountBadRequests: 0,
        rollingCountFailure: 40,
        errorPercentage: 40,
        propertyValue_circuitBreakerSleepWindowInMilliseconds: 7_000,
        propertyValue_executionTimeoutInMilliseconds: 0,
      });
      expect(tiles(reader).get('shop.books')).toMatchObject({
        group: 'shop',
        rollingCountSuccess: 60,
        rollingCountBadRequests: 0,
        rollingCountFailure: 40,
        propertyValue_executionTimeoutInMilliseconds: 2_000,
        propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: 10,
      });
      reader.disconnect();
    });

    it('that a circuit has opened, is forced open, is overridden', async () => {
      const { url, registry } = await streaming({}, counting());
      const reader = await read(`${url}/hystrix.stream`);
      const tile = () => tiles(reader).get('storagesvc');
      await until(() => tile()?.isCircuitBreakerOpen === false);
      for (let call = 0; call < 7; call++) await fetch(`${url}/books/down`);
      await until(() => tile()?.rollingCountShortCircuited === 2);
      expect(tile()).toMatchObject({ isCircuitBreakerOpen: true, rollingCountFailure: 5 });
      registry.get('storagesvc').reset();
      await until(() => tile()?.isCircuitBreakerOpen === false);
      registry.get('storagesvc').forceOpen();
      await until(() => tile()?.propertyValue_circuitBreakerForceOpen === true);
      expect(tile()?.isCircuitBreakerOpen).toBe(true);
      registry.get('storagesvc').disable();
      await until(() => tile()?.propertyValue_circuitBreakerForceClosed === true);
      reader.disconnect();
    });

    it('a ping when there are no events', async () => {
      const { url } = await streaming();
      const reader = await read(`${url}/hystrix.stream`);
      await until(() => reader.text.length >= 3 * 'ping: \n\n'.length);
      expect(reader.text.replaceAll('ping: \n\n', '')).toBe('');
      reader.disconnect();
    });

    it('the rest when a breaker cannot be shown, with one complaint', async () => {
      const warn = jest.spyOn(Logger.prototype, 'warn');
      const { url, registry } = await streaming({}, counting());
      jest.spyOn(registry.get('storagesvc'), 'snapshot').mockImplementation(() => {
        throw new Error('out of order');
      });
      const reader = await read(`${url}/hystrix.stream`);
      await sent(reader);
      expect([...tiles(reader).keys()]).toContain('shop.authors');
      expect([...tiles(reader).keys()]).not.toContain('storagesvc');
      const complaints = warn.mock.calls.filter(([text]) => /^storagesvc /.test(String(text)));
      expect(complaints).toEqual([['storagesvc is missing in the stream: Error: out of order']]);
      reader.disconnect();
    });

    it('a ping when nothing can be shown', async () => {
      const { url, registry } = await streaming({}, counting());
      const reader = await read(`${url}/hystrix.stream`);
      jest
        .spyOn(registry as unknown as Iterable<unknown>, Symbol.iterator)
        .mockImplementation(() => {
          throw new Error('out of order');
        });
      await sent(reader, 3);
      reader.disconnect();
    });
  });
});
