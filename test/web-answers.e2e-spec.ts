import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { BadGatewayException, Controller, Get, Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, Retry, Timeout, constant } from '../src/index.js';
import { closeServers, listen } from './outcomes/support.js';
import {
  type Platform,
  type Served,
  boot,
  closeAll,
  everyPlatform,
  nestMajor,
  serve,
} from './support/boot.js';
import { bulkhead } from './support/bulkhead-calls.js';
import { request } from './support/http.js';
import { type Deferred, Visits, deferred, until } from './support/wait.js';

const visits = new Visits();
let cancelled: Deferred;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A body of these items; an error among them breaks it. A stream without items left is quiet. */
function body(items: readonly (string | Error | undefined)[]): ReadableStream<Uint8Array> {
  const left = [...items];
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (left.length === 0) return new Promise<void>(() => {}); // quiet
      const item = left.shift();
      if (item instanceof Error) controller.error(item);
      else if (item === undefined) controller.close();
      else controller.enqueue(bytes(item));
    },
    cancel: () => cancelled.resolve(),
  });
}

const down = (): Error => new BadGatewayException('midway');

@Controller()
class Answers {
  @Get('retried')
  @Retry({ maxRetries: 2, backoff: constant('1s') })
  @CircuitBreaker({ name: 'retried', consecutiveFailures: 9 })
  async retried(): Promise<Response> {
    const items = visits.visit() < 3 ? [down()] : ['one,', 'two', undefined];
    const headers = new Headers({ 'x-model': 'big', 'content-type': 'text/csv' });
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2');
    return new Response(body(items), { status: 202, headers });
  }

  @Get('breaks')
  @Retry({ maxRetries: 2, backoff: constant('1s') })
  @CircuitBreaker({ name: 'breaks', consecutiveFailures: 9 })
  async breaks(): Promise<Response> {
    visits.visit();
    return new Response(body(['one,', down()]));
  }

  @Get('empty')
  @CircuitBreaker('empty')
  async empty(): Promise<Response> {
    return new Response(null, { status: 204 });
  }

  @Get('ends')
  @CircuitBreaker('ends')
  async ends(): Promise<Response> {
    return new Response(body([undefined]), { status: 203 });
  }

  @Get('quiet/response')
  @Bulkhead({ name: 'response', maxConcurrent: 1 })
  @Timeout('2s')
  async quietResponse(): Promise<Response> {
    visits.visit();
    return new Response(body([]));
  }

  @Get('quiet/stream')
  @Bulkhead({ name: 'stream', maxConcurrent: 1 })
  @Timeout('2s')
  async quietStream(): Promise<ReadableStream> {
    visits.visit();
    return body([]);
  }

  @Get('pauses/response')
  @Bulkhead({ name: 'response', maxConcurrent: 1 })
  async pausesResponse(): Promise<Response> {
    return new Response(body(['one']));
  }

  @Get('pauses/stream')
  @Bulkhead({ name: 'stream', maxConcurrent: 1 })
  async pausesStream(): Promise<ReadableStream> {
    return body(['one']);
  }

  @Get('judged')
  @Retry({
    maxRetries: 1,
    backoff: constant('1s'),
    onResult: (result) => (result as Response).status === 503,
  })
  async judged(): Promise<Response> {
    if (visits.visit() === 1) return new Response(body(['busy']), { status: 503 });
    return new Response(body(['fine', undefined]));
  }

  /** As of another library than Node's, which refuses a body with this status. */
  @Get('impossible')
  @Bulkhead({ name: 'impossible', maxConcurrent: 1 })
  async impossible(): Promise<object> {
    const headers = new Headers();
    return { [Symbol.toStringTag]: 'Response', status: 204, headers, body: body(['one']) };
  }

  @Get('proxied')
  @CircuitBreaker('proxied')
  async proxied(): Promise<Response> {
    return fetch(upstream);
  }
}

let upstream = '';

@Injectable()
class Service {
  @Retry({ maxRetries: 1, backoff: constant('1s') })
  @CircuitBreaker('service')
  async open<T extends ReadableStream | Response>(answer: T): Promise<T> {
    return answer;
  }
}

/** Nest sends web streams since its version 12, Fastify by itself. */
const sendsWeb = (platform: Platform): jest.Describe =>
  nestMajor >= 12 || (platform === 'Fastify' && nestMajor >= 11) ? describe : describe.skip;

describe.each(everyPlatform)('on %s', (platform: Platform) => {
  sendsWeb(platform)('a handler', () => {
    let server: Served;

    beforeAll(async () => {
      server = await serve(platform, { controllers: [Answers] });
    });

    beforeEach(() => {
      cancelled = deferred();
      visits.count = 0;
      for (const { name } of server.registry.list()) server.registry.get(name).reset();
    });

    afterAll(closeAll);

    it('that answers with a Response is retried up to the first part of its body', async () => {
      const { answer } = request(`${server.url}/retried`);
      for (const attempt of [1, 2]) {
        await visits.reached(attempt);
        await until(() => server.clock.pending > 0);
        await server.clock.advance(1_000);
      }
      expect(await answer).toMatchObject({
        status: 202,
        body: 'one,two',
        headers: { 'x-model': 'big', 'set-cookie': ['a=1', 'b=2'] },
      });
      expect(server.registry.get('retried').counts).toMatchObject({ successes: 1, failures: 2 });
    });

    it('whose Response breaks midway is not retried, and is one failure more', async () => {
      await request(`${server.url}/breaks`).answer.catch(() => {});
      await until(() => server.registry.get('breaks').counts.failures === 1);
      expect(server.registry.get('breaks').counts).toMatchObject({ successes: 1, failures: 1 });
      expect(visits.count).toBe(1);
    });

    it.each([
      ['no body', 'empty', 204],
      ['an empty body', 'ends', 203],
    ])('may answer with a Response that has %s', async (_, path, status) => {
      expect(await request(`${server.url}/${path}`).answer).toMatchObject({ status, body: '' });
      expect(server.registry.get(path).counts.successes).toBe(1);
    });

    describe.each(['response', 'stream'])('whose %s', (kind) => {
      it('never begins has a time limit, is cancelled, and gives its place back', async () => {
        for (const visit of [1, 2]) {
          cancelled = deferred();
          const { answer } = request(`${server.url}/quiet/${kind}`);
          await visits.reached(visit);
          await until(() => server.clock.pending > 0);
          await server.clock.advance(2_000);
          expect((await answer).status).toBe(504);
          await cancelled.promise;
        }
      });

      it('is quiet when its client goes is cancelled, and gives its place back', async () => {
        for (let client = 0; client < 2; client++) {
          cancelled = deferred();
          const { begun, disconnect } = request(`${server.url}/pauses/${kind}`);
          expect(await begun).toBe('one');
          disconnect();
          await cancelled.promise;
        }
      });
    });

    it('shows a Response to onResult, sends the one that is accepted, and cancels the other', async () => {
      const { answer } = request(`${server.url}/judged`);
      await visits.reached(1);
      await until(() => server.clock.pending > 0);
      await server.clock.advance(1_000);
      expect(await answer).toMatchObject({ status: 200, body: 'fine' });
      expect(visits.count).toBe(2);
      await cancelled.promise; // the body of the refused one
    });

    it('whose Response cannot be sent fails, cancels it, and gives its place back', async () => {
      expect((await request(`${server.url}/impossible`).answer).status).toBe(500);
      await cancelled.promise;
      await until(() => bulkhead(server.app, 'impossible').running === 0);
    });

    if (nestMajor >= 12) {
      it('passes on an answer of fetch, decoded', async () => {
        const gzipped = createServer((_request, response) => {
          response.writeHead(201, { 'content-encoding': 'gzip', 'x-model': 'big' });
          response.end(gzipSync('one,two'));
        });
        upstream = `http://127.0.0.1:${await listen(gzipped)}`;
        const answer = await request(`${server.url}/proxied`).answer;
        expect(answer).toMatchObject({ status: 201, body: 'one,two' });
        expect(answer.headers['x-model']).toBe('big');
        expect(answer.headers['content-encoding']).toBeUndefined();
        expect(server.registry.get('proxied').counts.successes).toBe(1);
      });
    }
  });
});

describe('a method of a service', () => {
  afterEach(closeAll);

  it.each([
    ['a web stream', () => body(['one', undefined])],
    ['a Response', () => new Response(body(['one', undefined]))],
  ])('that resolves to %s has succeeded by then, and returns it by identity', async (_, make) => {
    const { app, registry } = await boot({ providers: [Service] });
    const answer = make();
    expect(await app.get(Service).open(answer)).toBe(answer);
    expect(registry.get('service').counts.successes).toBe(1);
    const text = answer instanceof Response ? answer.text() : new Response(answer).text();
    expect(await text).toBe('one');
  });
});

afterAll(closeServers);
