import { Readable } from 'node:stream';
import axios from 'axios';
import undici from 'undici';
import { protectAxios } from '../src/axios/index.js';
import { ResilienceEvents } from '../src/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { HttpWorld } from './support/http-world.js';

let booted: Booted;
let world: HttpWorld;
let origin: string;

beforeEach(async () => {
  booted = await boot();
  world = new HttpWorld(() => booted.clock);
  origin = await world.listen('127.0.0.1');
  // No wait before another attempt.
  booted.app.get(ResilienceEvents).on('retry', ({ delayMs }) => {
    setImmediate(() => void booted.clock.advance(delayMs));
  });
});

afterEach(async () => {
  await world.close();
  await closeAll();
});

const twoRetries = { retry: { maxRetries: 2 } };

describe('the answers of a fetch that is given', () => {
  it.each([
    ['no body', () => undefined],
    ['a body of null', () => null],
    ['a body that is text', () => 'text'],
  ])('are retried with %s', async (_, body) => {
    const send = jest.fn(async () => ({ status: 503, headers: new Headers(), body: body() }));
    const fetch = booted.service.createFetch({ ...twoRetries, fetch: send as never });
    expect(await fetch(origin)).toMatchObject({ status: 503 });
    expect(send).toHaveBeenCalledTimes(3);
  });

  it('are destroyed when their bodies are streams of Node that nobody will read', async () => {
    const bodies: Readable[] = [];
    const fetch = booted.service.createFetch({
      ...twoRetries,
      fetch: (async () => {
        const body = Readable.from(['x']);
        bodies.push(body);
        return { status: 503, headers: new Headers(), body };
      }) as never,
    });
    await fetch(origin);
    expect(bodies.map(({ destroyed }) => destroyed)).toEqual([true, true, false]);
  });

  it('are left alone when somebody reads them already', async () => {
    const answers = [1, 2, 3].map(() => new Response('{}', { status: 503 }));
    const fetch = booted.service.createFetch({
      ...twoRetries,
      fetch: async () => {
        const answer = answers.find(({ body }) => body!.locked === false)!;
        answer.body!.getReader();
        return answer;
      },
    });
    expect(await fetch(origin)).toBe(answers[2]);
  });

  it('may be missing, as those of a mock', async () => {
    const fetch = booted.service.createFetch({ fetch: jest.fn() });
    await expect(fetch(origin)).resolves.toBeUndefined();
  });
});

describe('a request of fetch', () => {
  it.each([null, [['a']], { 'not a name': '1' }])(
    'rejects, and does not throw, for headers that are not right: %j',
    async (headers) => {
      const fetch = booted.service.createFetch({});
      await expect(fetch(origin, { headers: headers as never })).rejects.toMatchObject({
        name: 'TypeError',
      });
    },
  );

  it.each([
    ['FormData', new undici.FormData()],
    ['URLSearchParams', new URLSearchParams('a=1')],
    ['Blob', new Blob(['a'])],
  ])('is repeated with a body of another copy of undici: %s', async (_, body) => {
    const send = jest.fn(async () => new Response('', { status: 503 }));
    const fetch = booted.service.createFetch({ ...twoRetries, fetch: send });
    await fetch(origin, { method: 'PUT', body: body as never });
    expect(send).toHaveBeenCalledTimes(3);
  });

  it('leaves headers that are not right to a fetch that is given', async () => {
    const given = jest.fn(async (_input: unknown, _init?: RequestInit) => new Response('{}'));
    const fetch = booted.service.createFetch({ fetch: given as never });
    await fetch(origin, { headers: null as never });
    expect(given.mock.calls).toEqual([[origin, expect.objectContaining({ headers: null })]]);
  });

  it('keeps headers that can be read once only, and lists as lists', async () => {
    const sent: unknown[] = [];
    const fetch = booted.service.createFetch({
      fetch: async (_input, init) => {
        sent.push(init!.headers);
        return new Response('{}');
      },
    });
    await fetch(origin, { headers: new Headers({ id: '1' }).entries() as never });
    await fetch(origin, { headers: [['id', '2']] });
    expect(new Headers(sent[0] as Headers).get('id')).toBe('1');
    expect(sent[1]).toEqual([['id', '2']]);
  });

  it('is sent as it was at the time of the call, though it waits: a Request', async () => {
    const ids: unknown[] = [];
    const fetch = booted.service.createFetch({
      bulkhead: { maxConcurrent: 1, maxQueue: 10 },
      fetch: async (input) => {
        ids.push((input as Request).headers.get('id'));
        return new Response('{}');
      },
    });
    const request = new Request(origin);
    const calls = ['1', '2', '3'].map((id) => {
      request.headers.set('id', id);
      return fetch(request);
    });
    await Promise.all(calls);
    expect(ids).toEqual(['1', '2', '3']);
  });

  it('has method, headers and body of a Request that is given as its options', async () => {
    const headers = { 'x-book': '1' };
    const given = new Request('http://another.example', { method: 'POST', body: 'x', headers });
    const sent: unknown[] = [];
    const fetch = booted.service.createFetch({
      fetch: async (input, init) => {
        sent.push(new Headers(init!.headers).get('x-book'));
        return globalThis.fetch(input, init);
      },
    });
    await fetch(`${origin}/echo`, given);
    expect(world.asked).toEqual([{ method: 'POST', path: '/echo', body: 'x' }]);
    expect(sent).toEqual(['1']);
  });

  it.each([
    ['Headers', () => new Headers(), (to: Headers, id: string) => to.set('id', id)],
    ['an object', () => ({}), (to: Record<string, string>, id: string) => void (to.id = id)],
    [
      'a list',
      () => [] as [string, string][],
      (to: [string, string][], id: string) => void (to[0] = ['id', id]),
    ],
  ])(
    'is sent as it was at the time of the call, though it waits: headers as %s',
    async (_, create, set) => {
      const sent: unknown[] = [];
      const fetch = booted.service.createFetch({
        bulkhead: { maxConcurrent: 1, maxQueue: 10 },
        fetch: async (input, init) => {
          const body = init!.body as URLSearchParams;
          sent.push([(input as URL).href, new Headers(init!.headers).get('id'), String(body)]);
          return new Response('{}');
        },
      });
      const url = new URL('http://localhost/');
      const headers = create();
      const body = new URLSearchParams();
      const calls = ['1', '2', '3'].map((id) => {
        url.pathname = id;
        set(headers as never, id);
        body.set('id', id);
        return fetch(url, { method: 'PUT', headers, body });
      });
      await Promise.all(calls);
      expect(sent).toEqual([
        ['http://localhost/1', '1', 'id=1'],
        ['http://localhost/2', '2', 'id=2'],
        ['http://localhost/3', '3', 'id=3'],
      ]);
    },
  );
});

describe('a streamed answer of axios with its adapter for fetch', () => {
  const config = { adapter: 'fetch', responseType: 'stream' } as const;

  it('ends with the caller’s signal, while it is read', async () => {
    const stop = new AbortController();
    const instance = protectAxios(axios.create(config), booted.service);
    const { data } = await instance.get<ReadableStream>(`${origin}/stream`, {
      signal: stop.signal,
    });
    const reader = data.getReader();
    await reader.read();
    stop.abort();
    await expect(reader.read()).rejects.toMatchObject({ code: 'ERR_CANCELED' });
  });

  it('is cancelled when nobody will read it', async () => {
    const cancel = jest.fn();
    const instance = protectAxios(axios.create(), booted.service, twoRetries);
    const adapter = async (asked: never) => ({
      data: new ReadableStream({ cancel }),
      status: 503,
      statusText: '',
      headers: {},
      config: asked,
    });
    await instance.get(origin, { adapter: adapter as never, responseType: 'stream' });
    expect(cancel).toHaveBeenCalledTimes(2);
  });
});

describe('an instance of axios', () => {
  it('keeps its policies when its interceptors are cleared, the last ones of several', async () => {
    const instance = protectAxios(axios.create(), booted.service, twoRetries);
    const own = jest.fn(<Config>(config: Config) => config);
    instance.interceptors.request.use(own);
    instance.interceptors.request.clear();
    await instance.get(`${origin}/503`).catch(() => {});
    expect([own.mock.calls.length, world.asked.length]).toEqual([0, 3]);
    protectAxios(instance, booted.service, { name: 'last', retry: { maxRetries: 1 } });
    instance.interceptors.request.clear();
    instance.interceptors.request.clear();
    await instance.get(`${origin}/503`).catch(() => {});
    expect(world.asked).toHaveLength(5);
  });

  it.each([
    ['protectAxios(undefined): use an instance', undefined, {}],
    ['protectAxios({}): use an instance', {}, {}],
    ['protectAxios(instance, undefined): use the ResilienceService', axios.create(), undefined],
    [
      'protectAxios(instance, { retry: {} }): use the ResilienceService',
      axios.create(),
      { retry: {} },
    ],
  ])('is required: %s', (told, instance, service) => {
    expect(() => protectAxios(instance as never, service as never)).toThrow(told);
  });
});
