import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpService } from '@nestjs/axios';
import axios, { type AxiosInstance, AxiosError, type AxiosRequestConfig } from 'axios';
import { firstValueFrom } from 'rxjs';
import { CircuitOpenError, FailedAnswerError, TimeoutError } from '../src/index.js';
import { ResilienceHttpModule, protectAxios } from '../src/axios/index.js';
import { type Booted, boot, closeAll, of } from './support/boot.js';
import { HttpWorld } from './support/http-world.js';
import { errorOf } from './outcomes/support.js';

/** A client: gives the status, or throws. */
type Ask = (url: string, config?: AxiosRequestConfig) => Promise<number>;

interface Outcome {
  readonly calls: number;
  readonly outcome: string;
}

const axiosAsk =
  (instance: AxiosInstance): Ask =>
  async (url, config = {}) =>
    (await instance.request({ url, ...config })).status;

const clients: Readonly<Record<string, (booted: Booted) => Ask>> = {
  fetch: ({ service }) => {
    return async (url, { method = 'GET', headers, data } = {}) => {
      const response = await service.fetch(url, {
        method,
        headers: headers as Record<string, string>,
        body: data as string,
      });
      await response.text();
      return response.status;
    };
  },
  axios: ({ service }) => axiosAsk(protectAxios(axios.create(), service)),
  HttpService: ({ app }) => {
    const http = app.get(HttpService, { strict: false });
    return async (url, config = {}) =>
      (await firstValueFrom(http.request({ url, ...config }))).status;
  },
};

let booted: Booted;
const world = new HttpWorld(() => booted.clock);
const origins: Record<string, string> = {};

beforeAll(async () => {
  origins.IPv4 = await world.listen('127.0.0.1');
  origins.IPv6 = await world.listen('::1');
});

beforeEach(async () => {
  world.asked.length = 0;
  booted = await boot({ imports: [ResilienceHttpModule.register()] });
  // The clock moves when the client waits: for its next attempt, or for an answer that never comes.
  booted.app
    .get(await import('../src/index.js').then((all) => all.ResilienceEvents))
    .subscribe((event) => {
      if (event.type === 'retry') setImmediate(() => void booted.clock.advance(event.delayMs));
    });
  world.onHang = () => void booted.clock.advance(10_000);
});

afterEach(closeAll);

afterAll(() => world.close());

async function outcomeOf(ask: Ask, url: string, config?: AxiosRequestConfig): Promise<Outcome> {
  const outcome = await ask(url, config).then(String, (error: unknown) => {
    if (error instanceof AxiosError && error.response) return `AxiosError ${error.response.status}`;
    if (error instanceof TimeoutError) return 'TimeoutError';
    return 'network error';
  });
  return { calls: world.asked.length, outcome };
}

const post = { method: 'POST', data: 'x' };
const withKey = { ...post, headers: { 'Idempotency-Key': '1' } };

/** The request; calls and outcome of fetch; of axios, if they differ. */
const table: [string, string, AxiosRequestConfig | undefined, string, string][] = [
  ['200', '/200', undefined, '1, 200', '1, 200'],
  ['404', '/404', undefined, '1, 404', '1, AxiosError 404'],
  ['429, `Retry-After` in seconds', '/429-seconds', undefined, '4, 429', '4, AxiosError 429'],
  ['429, `Retry-After` as a date', '/429-date', undefined, '4, 429', '4, AxiosError 429'],
  ['500', '/500', undefined, '4, 500', '4, AxiosError 500'],
  ['503', '/503', undefined, '4, 503', '4, AxiosError 503'],
  ['503 to a PUT', '/503', { method: 'PUT', data: 'x' }, '4, 503', '4, AxiosError 503'],
  ['503 to a POST', '/503', post, '1, 503', '1, AxiosError 503'],
  ['503 to a POST with `Idempotency-Key`', '/503', withKey, '4, 503', '4, AxiosError 503'],
  ['200, slowly', '/slow', undefined, '1, 200', '1, 200'],
  ['a reset connection', '/reset', undefined, '4, network error', '4, network error'],
  ['200 with half a body', '/truncated', undefined, '1, network error', '4, AxiosError 200'],
  ['nothing', '/hang', undefined, '3, TimeoutError', '3, TimeoutError'],
  ['a redirect to a 200', '/redirect', undefined, '2, 200', '2, 200'],
];

describe.each(Object.keys(clients))('%s', (client) => {
  describe.each(['IPv4', 'IPv6'])('over %s', (family) => {
    it.each(table)(
      'makes calls and ends as documented when the answer is %s',
      async (_what, path, config, ofFetch, ofAxios) => {
        const ask = clients[client]!(booted);
        const { calls, outcome } = await outcomeOf(ask, origins[family] + path, config);
        expect(`${calls}, ${outcome}`).toBe(client === 'fetch' ? ofFetch : ofAxios);
        expect(world.asked.every(({ body }) => body === (config?.data ?? ''))).toBe(true);
      },
    );
  });

  it('waits as long as Retry-After says, in seconds and as a date', async () => {
    const ask = clients[client]!(booted);
    await ask(`${origins.IPv4}/429-seconds`).catch(() => {});
    expect(of('retry', booted.events).map(({ delayMs }) => delayMs)).toEqual([2_000, 2_000, 2_000]);
    booted.events.length = 0;
    await ask(`${origins.IPv4}/429-date`).catch(() => {});
    for (const { delayMs } of of('retry', booted.events)) {
      expect(delayMs).toBeGreaterThan(1_990);
      expect(delayMs).toBeLessThanOrEqual(3_000);
    }
  });

  it('has a breaker per host, which rejects calls when it is open', async () => {
    const ask = clients[client]!(booted);
    // Not sent again, so all within the window.
    for (let i = 0; i < 20; i++) await ask(`${origins.IPv4}/500`, post).catch(() => {});
    const asked = world.asked.length;
    expect(asked).toBe(20);
    const error = await errorOf(() => ask(`${origins.IPv4}/200`));
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(world.asked).toHaveLength(asked);
    expect(await ask(`${origins.IPv6}/200`)).toBe(200);
    const name = client === 'fetch' ? 'fetch' : 'http';
    const host = new URL(origins.IPv4!).host;
    expect(booted.registry.get(`${name}[${host}]`).state).toBe('open');
  });

  it('shows no query in names, keys and events', async () => {
    const ask = clients[client]!(booted);
    await ask(`${origins.IPv4}/503?token=hunter2`).catch(() => {});
    const names = [...booted.registry.list({ keys: true })].map(({ name }) => name);
    const told = booted.events.map((event) => [
      'name' in event && event.name,
      'error' in event && String(event.error),
    ]);
    expect(JSON.stringify([names, told])).not.toContain('hunter2');
  });
});

it('is the table of the documentation', () => {
  const page = readFileSync(join(__dirname, '../docs/http-clients.md'), 'utf8');
  const cells = page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
        .join(' | '),
    );
  for (const [what, , , ofFetch, ofAxios] of table) {
    expect(cells).toContain(`${what} | ${ofFetch} | ${ofAxios}`);
  }
});

describe('fetch', () => {
  it('returns the last answer with its unread body', async () => {
    const response = await booted.service.fetch(`${origins.IPv4}/503`);
    expect([response.status, response.bodyUsed]).toEqual([503, false]);
    expect(await response.json()).toEqual({ answer: 1 });
  });

  it('cancels the bodies of answers that it discards', async () => {
    const cancelled: number[] = [];
    const answers = [1, 2].map(
      (id) =>
        new Response(new ReadableStream({ cancel: () => void cancelled.push(id) }), {
          status: 503,
        }),
    );
    const fetch = booted.service.createFetch({
      name: 'c',
      retry: { maxRetries: 1 },
      fetch: async () => answers[cancelled.length]!,
    });
    expect(await fetch('http://localhost/')).toBe(answers[1]);
    expect(cancelled).toEqual([1]);
    const answered = booted.service.createFetch({
      name: 'd',
      retry: { maxRetries: 0 },
      fallback: () => new Response('spare'),
      fetch: async () => answers[1]!,
    });
    expect(await (await answered('http://localhost/')).text()).toBe('spare');
    expect(cancelled).toEqual([1, 2]);
  });

  it('does not repeat a request with a stream as its body, or a Request with a body', async () => {
    const url = `${origins.IPv4}/503`;
    const stream = (): ReadableStream => new Blob(['x']).stream();
    const init = { method: 'PUT', duplex: 'half' } as RequestInit;
    await booted.service.fetch(url, { ...init, body: stream() });
    await booted.service.fetch(new Request(url, { method: 'PUT', body: 'x' }));
    expect(world.asked.map(({ body }) => body)).toEqual(['x', 'x']);
    await booted.service.fetch(new Request(url));
    expect(world.asked).toHaveLength(6);
  });

  it('repeats the methods that an option lists', async () => {
    const fetch = booted.service.createFetch({ name: 'post', retryMethods: ['post'] });
    await fetch(`${origins.IPv4}/503`, { method: 'POST', body: 'x' });
    await fetch(`${origins.IPv4}/503`);
    expect(world.asked.map(({ method }) => method).join()).toBe('POST,POST,POST,POST,GET');
  });

  it('ends with the reason of the caller’s signal, at once, wherever it is given', async () => {
    const reason = new Error('gone');
    const url = `${origins.IPv4}/hang`;
    for (const give of [
      (signal: AbortSignal) => booted.service.fetch(url, { signal }),
      (signal: AbortSignal) => booted.service.fetch(new Request(url, { signal })),
    ]) {
      const stop = new AbortController();
      world.onHang = () => stop.abort(reason);
      expect(await errorOf(() => give(stop.signal))).toBe(reason);
      expect(await errorOf(() => give(stop.signal))).toBe(reason);
    }
    expect(world.asked).toHaveLength(2);
  });

  it('lets the caller’s signal stop the body, after the answer', async () => {
    const stop = new AbortController();
    const response = await booted.service.fetch(`${origins.IPv4}/stream`, { signal: stop.signal });
    const reader = response.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('first ');
    stop.abort(new Error('enough'));
    await expect(reader.read()).rejects.toThrow('enough');
  });

  it('does not affect anything but requests to a host', async () => {
    const { service, events } = booted;
    expect(await (await service.fetch('data:text/plain,hello')).text()).toBe('hello');
    await expect(service.fetch('not a url')).rejects.toMatchObject({ name: 'TypeError' });
    await expect(service.fetch('http://user:hunter2@localhost/')).rejects.toMatchObject({
      name: 'TypeError',
    });
    expect(events).toEqual([]);
  });

  it('gives a fallback the failed answer and the request', async () => {
    const seen: unknown[] = [];
    const fetch = booted.service.createFetch({
      name: 'f',
      retry: { maxRetries: 0 },
      fallback: ({ error }: { error: unknown }, request: unknown) => {
        seen.push(error, request);
        return new Response('spare', { status: 200 });
      },
    });
    expect((await fetch(`${origins.IPv4}/503`)).status).toBe(200);
    expect(seen[0]).toBeInstanceOf(FailedAnswerError);
    expect(seen[1]).toEqual({ method: 'GET', host: new URL(origins.IPv4!).host, path: '/503' });
  });

  it('reports wrong options, and is changed by overrides', async () => {
    expect(() => booted.service.createFetch({ retryMethods: 5, retri: {} } as never)).toThrow(
      /retryMethods is 5[^]*retri/,
    );
    await closeAll();
    const resilience = { overrides: { fetch: { retry: { maxRetries: 0 } } } };
    booted = await boot({ resilience });
    await booted.service.fetch(`${origins.IPv4}/503`);
    expect(world.asked).toHaveLength(1);
  });
});

describe('axios', () => {
  it('runs interceptors once, and gives its own errors by identity', async () => {
    const instance = protectAxios(axios.create({ baseURL: origins.IPv4! }), booted.service);
    const requests = jest.fn((config) => config);
    const failures = jest.fn((error) => Promise.reject(error));
    instance.interceptors.request.use(requests);
    instance.interceptors.response.use(undefined, failures);
    const error = await errorOf(() => instance.get('/503'));
    expect(error).toBe(failures.mock.calls[0]![0]);
    expect(error).toBeInstanceOf(AxiosError);
    expect([requests.mock.calls.length, world.asked.length]).toEqual([1, 4]);
  });

  it('takes a failing status for a failure even if validateStatus accepts it', async () => {
    const instance = protectAxios(axios.create({ validateStatus: () => true }), booted.service);
    expect((await instance.get(`${origins.IPv4}/503`)).status).toBe(503);
    expect(world.asked).toHaveLength(4);
  });

  it('protects calls of axiosRef, and an adapter given for one request', async () => {
    const { axiosRef } = booted.app.get(HttpService, { strict: false });
    await axiosRef(`${origins.IPv4}/503`).catch(() => {});
    expect(world.asked).toHaveLength(4);
    let calls = 0;
    const adapter = async (config: never) => {
      if (++calls < 3) throw new AxiosError('down', 'ECONNRESET', config);
      return { data: 1, status: 200, statusText: 'OK', headers: {}, config };
    };
    expect((await axiosRef.get('http://localhost/', { adapter: adapter as never })).data).toBe(1);
  });

  it('has only the last policies when it is protected twice', async () => {
    const instance = protectAxios(axios.create(), booted.service);
    protectAxios(instance, booted.service, { name: 'last', retry: { maxRetries: 1 } });
    await instance.get(`${origins.IPv4}/503`).catch(() => {});
    expect(world.asked).toHaveLength(2);
    expect(of('retry', booted.events).map(({ name }) => name)).toEqual(['last']);
  });

  it.each([404, 503])(
    'leaves the body of an answer of %i to the caller as a stream',
    async (status) => {
      const instance = protectAxios(axios.create(), booted.service, { retry: { enabled: false } });
      const url = `${origins.IPv4}/${status}`;
      const error = await errorOf(() => instance.get(url, { responseType: 'stream' }));
      const { data } = (error as AxiosError<AsyncIterable<Buffer>>).response!;
      const chunks: Buffer[] = [];
      for await (const chunk of data) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe('{"answer":1}');
    },
  );

  it('leaves no listener on a long-lived cancel token', async () => {
    const instance = protectAxios(axios.create(), booted.service);
    const { token } = axios.CancelToken.source();
    for (let i = 0; i < 3; i++) await instance.get(`${origins.IPv4}/200`, { cancelToken: token });
    const { _listeners: listeners } = token as unknown as { _listeners?: readonly unknown[] };
    expect(listeners ?? []).toHaveLength(0);
  });

  it('ends like axios when its caller cancels', async () => {
    const instance = protectAxios(axios.create(), booted.service);
    const stop = new AbortController();
    world.onHang = () => stop.abort();
    const error = await errorOf(() =>
      instance.get(`${origins.IPv4}/hang`, { signal: stop.signal }),
    );
    expect(axios.isCancel(error)).toBe(true);
    const source = axios.CancelToken.source();
    world.onHang = () => source.cancel('enough');
    const options = { cancelToken: source.token };
    const other = await errorOf(() => instance.get(`${origins.IPv4}/hang`, options));
    expect(other).toMatchObject({ code: 'ERR_CANCELED', message: 'enough' });
    expect(world.asked).toHaveLength(2);
  });

  it('ends the request when its last subscriber leaves HttpService', async () => {
    const http = booted.app.get(HttpService, { strict: false });
    const begun = new Promise<void>((resolve) => (world.onHang = resolve));
    const subscription = http.get(`${origins.IPv4}/hang`).subscribe();
    await begun;
    subscription.unsubscribe();
    for (let i = 0; i < 100 && world.hanging > 0; i++) await new Promise(setImmediate);
    expect(world.hanging).toBe(0);
  });

  it('is configured by other providers', async () => {
    await closeAll();
    const options = {
      baseURL: origins.IPv4!,
      resilience: { name: 'own', retry: { maxRetries: 1 } },
    };
    class Factory {
      createHttpOptions = () => options;
    }
    for (const given of [
      { useFactory: async () => options },
      { useClass: Factory },
      { useExisting: 'factory', extraProviders: [{ provide: 'factory', useClass: Factory }] },
    ]) {
      world.asked.length = 0;
      const { app, clock } = await boot({ imports: [ResilienceHttpModule.registerAsync(given)] });
      const failed = firstValueFrom(app.get(HttpService, { strict: false }).get('/503')).catch(
        () => {},
      );
      while (world.asked.length < 1) await new Promise(setImmediate);
      for (let i = 0; i < 20; i++) await new Promise(setImmediate);
      await clock.advance(1_000);
      await failed;
      expect(world.asked).toHaveLength(2);
    }
  });
});
