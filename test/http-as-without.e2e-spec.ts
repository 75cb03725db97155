import axios, { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { protectAxios } from '../src/axios/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { HttpWorld } from './support/http-world.js';
import { outcome, until } from './support/wait.js';

let booted: Booted;
let origin: string;
const world = new HttpWorld(() => booted.clock);

beforeAll(async () => {
  origin = await world.listen('127.0.0.1');
});
beforeEach(async () => {
  booted = await boot();
  world.asked.length = 0;
});
afterEach(closeAll);
afterAll(() => world.close());

/** Instances of axios without policies and with them: what both do must be the same. */
const INSTANCES: [string, (config?: object) => AxiosInstance][] = [
  ['without policies', (config) => axios.create(config)],
  ['with policies', (config) => protectAxios(axios.create(config), booted.service)],
];

describe.each(INSTANCES)('axios %s', (_, create) => {
  it('sends a body as it was at the time of the call', async () => {
    const books = [{ title: 'before' }];
    const sent = create().post(`${origin}/echo`, books);
    books[0]!.title = 'after';
    expect((await sent).data).toEqual([{ title: 'before' }]);
  });

  it('runs synchronous interceptors within the call, also after clear()', async () => {
    const instance = create();
    for (const _again of [1, 2]) {
      instance.interceptors.request.clear();
      const order: string[] = [];
      const note = (config: InternalAxiosRequestConfig): InternalAxiosRequestConfig => {
        order.push('interceptor');
        return config;
      };
      instance.interceptors.request.use(note, undefined, { synchronous: true });
      const sent = instance.get(`${origin}/200`);
      order.push('after the call');
      await sent;
      expect(order).toEqual(['interceptor', 'after the call']);
    }
  });

  it('uses the fetch in the environment of its configuration', async () => {
    const given = jest.fn(async () => new Response('{"given":1}'));
    const instance = create({ adapter: 'fetch', env: { fetch: given } });
    expect((await instance.get(`${origin}/200`)).data).toEqual({ given: 1 });
    expect(given).toHaveBeenCalledTimes(1);
  });

  it('takes its default adapter for a request whose adapter is null', async () => {
    const { status } = await create().get(`${origin}/200`, { adapter: null as never });
    expect(status).toBe(200);
  });

  it('refuses a wrong signal, such as a controller', async () => {
    const signal = new AbortController() as never;
    const { error } = await outcome(create().get(`${origin}/200`, { signal }));
    expect(error).toMatchObject({ name: 'TypeError' });
    expect(world.asked).toEqual([]);
  });

  it.each([
    [
      'a signal',
      () => {
        const stop = new AbortController();
        return { stop: () => stop.abort(), config: { signal: stop.signal } };
      },
    ],
    [
      'a token',
      () => {
        const { token, cancel } = axios.CancelToken.source();
        return { stop: () => cancel(), config: { cancelToken: token } };
      },
    ],
  ])('ends a request that an interceptor has sent again by %s of the caller', async (__, stops) => {
    const instance = create();
    const { stop, config } = stops();
    instance.interceptors.response.use(undefined, (error: unknown) => {
      if (!axios.isAxiosError(error) || error.response?.status !== 401) throw error;
      return instance.request({ ...error.config!, url: `${origin}/hang` });
    });
    const asked = outcome(instance.get(`${origin}/401`, config));
    await until(() => world.hanging === 1);
    stop();
    expect(axios.isCancel((await asked).error)).toBe(true);
    await until(() => world.hanging === 0);
  });

  it.each([null, 0, '', false])('takes %j for no signal and no token', async (none: unknown) => {
    for (const key of ['signal', 'cancelToken']) {
      const { status, config } = await create().get(`${origin}/200`, { [key]: none });
      expect([status, config]).toEqual([200, expect.objectContaining({ [key]: none })]);
    }
  });

  it.each(['/200', '/404'])('adds nothing to the configuration in the answer: %s', async (path) => {
    const { value, error } = await outcome(create().get(origin + path));
    const { config } = (value ?? error) as { config: object };
    expect(['signal', 'cancelToken'].filter((key) => key in config)).toEqual([]);
  });

  it('shows the caller’s signal in the configuration of an answer', async () => {
    const { signal } = new AbortController();
    expect((await create().get(`${origin}/200`, { signal })).config.signal).toBe(signal);
  });
});

describe.each([
  ['without policies', () => globalThis.fetch],
  ['with policies', () => booted.service.createFetch()],
])('fetch %s', (_, create) => {
  it('refuses a wrong signal, such as a controller', async () => {
    const signal = new AbortController() as never;
    const { error } = await outcome(create()(`${origin}/200`, { signal }));
    expect(error).toMatchObject({ name: 'TypeError' });
    expect(world.asked).toEqual([]);
  });

  it('refuses options that are no object', async () => {
    const { error } = await outcome(create()(`${origin}/200`, 'POST' as never));
    expect(error).toMatchObject({ name: 'TypeError' });
    expect(world.asked).toEqual([]);
  });

  it('reads accessors of a class of options', async () => {
    class Options {
      get method(): string {
        return 'PUT';
      }
      get body(): string {
        return 'book';
      }
    }
    expect(await (await create()(`${origin}/echo`, new Options())).text()).toBe('book');
    expect(world.asked).toEqual([{ method: 'PUT', path: '/echo', body: 'book' }]);
  });
});
