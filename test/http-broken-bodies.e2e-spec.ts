import { CircuitOpenError } from '../src/index.js';
import { type Booted, boot, closeAll } from './support/boot.js';
import { HttpWorld } from './support/http-world.js';
import { settle, until } from './support/wait.js';

let booted: Booted;
let world: HttpWorld;
let origin: string;
let host: string;

beforeEach(async () => {
  booted = await boot();
  world = new HttpWorld(() => booted.clock);
  origin = await world.listen('127.0.0.1');
  host = new URL(origin).host;
});

afterEach(async () => {
  await world.close();
  await closeAll();
});

const counts = (name = 'fetch') => booted.registry.get(`${name}[${host}]`).counts;

async function read(response: Response): Promise<string> {
  let text = '';
  for await (const chunk of response.body!) text += new TextDecoder().decode(chunk);
  return text;
}

describe('a body of fetch that breaks midway', () => {
  it.each([
    ['text()', async (response: Response) => response.text()],
    ['arrayBuffer()', async (response: Response) => response.arrayBuffer()],
    ['a loop', read],
    ['pipeTo()', async (response: Response) => response.body!.pipeTo(new WritableStream())],
    ['a clone', async (response: Response) => response.clone().text()],
  ])('is an error of its reader, and one failure more for the breaker: %s', async (_, readBy) => {
    const response = await booted.service.fetch(`${origin}/truncated`);
    expect(counts()).toMatchObject({ successes: 1, failures: 0 });
    await expect(readBy(response)).rejects.toThrow('terminated');
    await until(() => counts().failures === 1);
    await settle();
    expect(counts()).toMatchObject({ successes: 1, failures: 1 });
    expect(world.asked).toHaveLength(1);
  });

  it('opens the circuit in the end', async () => {
    const circuitBreaker = { consecutiveFailures: 1 };
    const fetch = booted.service.createFetch({ name: 'short', circuitBreaker });
    await expect((await fetch(`${origin}/truncated`)).text()).rejects.toThrow('terminated');
    await until(
      () =>
        counts('short').failures === 1 || booted.registry.get(`short[${host}]`).state === 'open',
    );
    await expect(fetch(`${origin}/200`)).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('is judged by the lists of the breaker', async () => {
    const fetch = booted.service.createFetch({ name: 'mild', circuitBreaker: { ignore: [Error] } });
    await expect((await fetch(`${origin}/truncated`)).text()).rejects.toThrow('terminated');
    await settle();
    expect(counts('mild')).toMatchObject({ successes: 1, failures: 0 });
  });
});

describe('a body of fetch', () => {
  it('that is read to its end is one success', async () => {
    expect(await read(await booted.service.fetch(`${origin}/200`))).toBe('{"answer":1}');
    await settle();
    expect(counts()).toMatchObject({ successes: 1, failures: 0 });
  });

  it.each([
    ['by its reader', (response: Response) => response.body!.cancel()],
    ['by the caller’s signal', async (_: Response, stop: AbortController) => stop.abort()],
  ])('that is ended %s is not a failure', async (_, end) => {
    const stop = new AbortController();
    const response = await booted.service.fetch(`${origin}/stream`, { signal: stop.signal });
    await end(response, stop);
    await settle();
    expect(counts()).toMatchObject({ successes: 1, failures: 0 });
  });

  it('of an answer that failed is not counted again', async () => {
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('cut')) });
    const fetch = booted.service.createFetch({
      name: 'failed',
      retry: { maxRetries: 0 },
      fetch: async () => new Response(broken, { status: 503 }),
    });
    await expect((await fetch(`${origin}/`)).text()).rejects.toThrow('cut');
    await settle();
    expect(counts('failed')).toMatchObject({ successes: 0, failures: 1 });
  });
});
