import { getEventListeners } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import axios from 'axios';
import { TimeoutError } from '../src/index.js';
import { protectAxios } from '../src/axios/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { HttpWorld } from './support/http-world.js';
import { deferred, outcome, until } from './support/wait.js';

let booted: Booted;
let origin: string;
const world = new HttpWorld(() => booted.clock);

beforeAll(async () => {
  origin = await world.listen('127.0.0.1');
});
beforeEach(async () => {
  booted = await boot();
});
afterEach(closeAll);
afterAll(() => world.close());

/** An answer whose body reports when it is cancelled. */
function answer(status: number, cancel: () => void): Response {
  return new Response(new ReadableStream({ cancel }), { status });
}

describe('an answer that comes too late, of a fetch that ignores its signal,', () => {
  it('is cancelled after a timeout', async () => {
    const cancelled = jest.fn();
    const late = deferred<Response>();
    const { clock, service } = booted;
    const fetch = service.createFetch({
      fetch: () => late.promise,
      retry: { enabled: false },
      timeout: { attempt: '1s' },
    });
    const asked = outcome(fetch(origin));
    await until(() => clock.pending > 0);
    await clock.advance(1_000);
    expect((await asked).error).toBeInstanceOf(TimeoutError);
    late.resolve(answer(200, cancelled));
    await until(() => cancelled.mock.calls.length === 1);
  });

  it('is cancelled after a second attempt has answered, whose body stays readable', async () => {
    const cancelled = jest.fn();
    const late = deferred<Response>();
    const answers = [late.promise, Promise.resolve(new Response('second'))];
    const { clock, service } = booted;
    const fetch = service.createFetch({
      fetch: () => answers.shift()!,
      timeout: { attempt: '1s' },
    });
    const asked = fetch(origin);
    await until(() => clock.pending > 0);
    await clock.advance(1_000);
    await until(() => clock.pending > 0);
    await clock.advance(1_000);
    const given = await asked;
    late.resolve(answer(503, cancelled));
    await until(() => cancelled.mock.calls.length === 1);
    await expect(given.text()).resolves.toBe('second');
  });
});

describe('a streamed answer of axios', () => {
  const { signal } = new AbortController();
  const listeners = (): number => getEventListeners(signal, 'abort').length;
  const get = (url: string) =>
    protectAxios(axios.create(), booted.service, { retry: { enabled: false } }).get<Readable>(url, {
      responseType: 'stream',
      signal,
    });

  it('leaves no listener on a signal that lives on, once it is read', async () => {
    const { data } = await get(`${origin}/200`);
    await expect(text(data)).resolves.toBe('{"answer":1}');
    await until(() => listeners() === 0);
  });

  it('leaves none when it is destroyed half read', async () => {
    const { data } = await get(`${origin}/stream`);
    data.destroy();
    await until(() => listeners() === 0);
  });

  it('leaves none when it is a failure, or there is none', async () => {
    const { error } = await outcome(get(`${origin}/503`));
    if (!axios.isAxiosError(error)) throw error;
    (error.response!.data as Readable).resume();
    await until(() => listeners() === 0);
    await outcome(get(`${origin}/reset`));
    await until(() => listeners() === 0);
  });
});

describe('axios with allowAbsoluteUrls: false', () => {
  it('uses the breaker of the host that it calls, whatever the path looks like', async () => {
    const instance = protectAxios(
      axios.create({ baseURL: origin, allowAbsoluteUrls: false }),
      booted.service,
      { circuitBreaker: { name: 'hosts', key: ({ host }: { host: string }) => host } },
    );
    await instance.get('http://another.example/200');
    expect(Array.from(booted.registry.list(), ({ name }) => name)).toEqual([
      expect.stringContaining(new URL(origin).host) as string,
    ]);
  });
});
