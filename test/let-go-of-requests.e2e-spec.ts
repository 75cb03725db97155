import { AsyncLocalStorage } from 'node:async_hooks';
import { request as send } from 'node:http';
import { Body, Controller, Inject, Injectable, Post, Req, Res } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  ResilienceService,
  Retry,
  Timeout,
  staleIfError,
} from '../src/index.js';
import { closeAll, everyPlatform, serve } from './support/boot.js';
import { Remembered } from './support/let-go.js';
import { settle } from './support/wait.js';

afterEach(closeAll);
jest.setTimeout(60_000); // collecting garbage takes its time

/** Posts a body, and resolves with the answer. */
function post(url: string, body: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', connection: 'close' };
    const client = send(url, { method: 'POST', agent: false, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode!));
    });
    client.on('error', reject).end(JSON.stringify(body));
  });
}

const REQUESTS = 20;

/** One may be on the stack, or in a register, of the engine that runs this test. */
const FEW = 2;

describe.each(everyPlatform)('on %s, a request whose handler has ended', (platform) => {
  it('is not kept by work that outlasts the handler', async () => {
    const seen = new Remembered();
    const timers: NodeJS.Timeout[] = [];
    const promises: Promise<unknown>[] = [];
    const entries = new Map<string, unknown>();
    const cache = {
      get: async (key: string) => entries.get(key),
      set: async (key: string, entry: unknown) => {
        entries.set(key, entry);
        timers.push(setTimeout(() => entries.delete(key), 600_000));
      },
    };
    @Controller()
    class Books {
      @Post('books')
      @Retry()
      @CircuitBreaker()
      @Timeout('2s')
      @Fallback(staleIfError({ ttl: '10m', key: () => String(timers.length) }))
      async add(
        @Body() body: object,
        @Req() request: object,
        @Res({ passthrough: true }) response: object,
      ): Promise<object> {
        [body, request, response].forEach(seen.add);
        timers.push(
          setInterval(() => {}, 600_000),
          setTimeout(() => {}, 600_000),
        );
        promises.push(new Promise(() => {}), (async () => new Promise(() => {}))());
        await settle();
        return { stored: true };
      }
    }
    const providers = [{ provide: 'CACHE_MANAGER', useValue: cache }];
    const { url } = await serve(platform, { controllers: [Books], providers });
    for (let i = 0; i < REQUESTS; i++) {
      await expect(post(`${url}/books`, { text: 'x'.repeat(10_000) })).resolves.toBe(201);
    }
    expect(seen.refs).toHaveLength(3 * REQUESTS);
    expect(timers.length).toBeGreaterThanOrEqual(3 * REQUESTS);
    expect(promises).toHaveLength(2 * REQUESTS);
    await expect(seen.left(3 * FEW)).resolves.toBeLessThanOrEqual(3 * FEW);
    timers.forEach((timer) => clearInterval(timer));
  });

  it('is not kept by circuits and errors after an outage', async () => {
    const seen = new Remembered();
    const constant = new Error('always the same');
    @Controller()
    class Books {
      @Post('books')
      @CircuitBreaker({ consecutiveFailures: 3 })
      @Fallback(() => {
        throw constant;
      })
      async add(@Body() body: object, @Req() request: object): Promise<object> {
        [body, request].forEach(seen.add);
        throw Object.assign(new Error('down'), { body });
      }
    }
    const { url, events } = await serve(platform, { controllers: [Books] });
    for (let i = 0; i < REQUESTS; i++) {
      await expect(post(`${url}/books`, { text: 'x'.repeat(1_000) })).resolves.toBe(500);
    }
    expect(seen.refs.length).toBeGreaterThan(0);
    events.length = 0; // they tell of errors
    await expect(seen.left(2 * FEW)).resolves.toBeLessThanOrEqual(2 * FEW);
    expect(constant.message).toBe('always the same');
  });

  it('is not kept by a command that was made in it', async () => {
    const contexts = new AsyncLocalStorage<object>();
    const seen = new Remembered();
    @Injectable()
    class Shop {
      constructor(@Inject(ResilienceService) private readonly resilience: ResilienceService) {}

      async ask(which: number): Promise<string> {
        const command = this.resilience.command(`books${which}`, {
          run: async () => 'ok',
          timeout: '1s',
          retry: {},
          circuitBreaker: {},
          bulkhead: { maxConcurrent: 2, maxQueue: 2, maxWait: '1s' },
        });
        return command.execute();
      }
    }
    let asked = 0;
    @Controller()
    class Books {
      constructor(@Inject(Shop) private readonly shop: Shop) {}

      @Post('books')
      async add(): Promise<string> {
        return contexts.run(seen.add({ user: 'Alice' }), () => this.shop.ask(asked++));
      }
    }
    const { url, app } = await serve(platform, { controllers: [Books], providers: [Shop] });
    for (let i = 0; i < REQUESTS; i++) {
      await expect(post(`${url}/books`, {})).resolves.toBe(201);
    }
    expect(seen.refs).toHaveLength(REQUESTS);
    await expect(seen.left(FEW)).resolves.toBeLessThanOrEqual(FEW);
    expect([...app.get(ResilienceService).commands()]).toHaveLength(REQUESTS);
  });
});
