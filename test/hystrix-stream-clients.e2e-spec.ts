import type { Server, ServerResponse } from 'node:http';
import { type Socket, connect } from 'node:net';
import type { CanActivate, ExecutionContext, INestApplication } from '@nestjs/common';
import { CircuitBreaker } from '../src/index.js';
import { EventStream } from '../src/hystrix-stream/event-stream.js';
import { type Platform, closeAll, everyPlatform } from './support/boot.js';
import { counting, inside, often, sent, streamingOn } from './support/hystrix-stream.js';
import { read } from './support/hystrix.js';
import { deferred, outcome, until } from './support/wait.js';

afterEach(() => jest.restoreAllMocks());
afterEach(closeAll);

/** A breaker with an event so long that the buffers of the kernel are soon full. */
const huge = 'x'.repeat(500_000);
const eventLength = 3 * huge.length;

class Huge {
  @CircuitBreaker({ name: huge })
  async work(): Promise<void> {}
}

/** The response to a client that has not read for long. */
async function stalled(app: INestApplication): Promise<ServerResponse> {
  const { clients } = inside(app);
  await until(() => clients.size === 1);
  const [response] = clients.keys() as Iterator<ServerResponse> & Iterable<ServerResponse>;
  let [length, since] = [0, Date.now()];
  await until(() => {
    if (response!.writableLength !== length)
      [length, since] = [response!.writableLength, Date.now()];
    return length > 0 && Date.now() - since > 20 * often;
  });
  return response!;
}

describe.each(everyPlatform)('the Hystrix stream on %s', (platform: Platform) => {
  const streaming = streamingOn(platform);

  describe('serves', () => {
    it('five clients, and a sixth when one has gone', async () => {
      const { url, app } = await streaming();
      const readers = await Promise.all(
        Array.from({ length: 5 }, () => read(`${url}/hystrix.stream`)),
      );
      expect(readers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      const refused = await fetch(`${url}/hystrix.stream`);
      expect(refused.status).toBe(503);
      expect(await refused.text()).toBe('MaxConcurrentConnections reached: 5');

      readers[0]!.disconnect();
      await until(() => inside(app).clients.size === 4);
      const sixth = await read(`${url}/hystrix.stream`);
      expect(sixth.status).toBe(200);
      await sent(sixth);
      for (const reader of [...readers, sixth]) reader.disconnect();
    });

    it('the configured number of clients', async () => {
      const { url } = await streaming({ maxConnections: 1 });
      const reader = await read(`${url}/hystrix.stream`);
      const refused = await fetch(`${url}/hystrix.stream`);
      expect(await refused.text()).toBe('MaxConcurrentConnections reached: 1');
      reader.disconnect();
    });

    it('a hundred that come and go, without a trace', async () => {
      const { url, app } = await streaming();
      const server = app.getHttpServer() as Server;
      const listeners = () => server.eventNames().map((name) => server.listenerCount(name));
      const before = listeners();
      const responses = new Set<ServerResponse>();
      for (let time = 0; time < 20; time++) {
        const readers = await Promise.all(
          Array.from({ length: 5 }, () => read(`${url}/hystrix.stream`)),
        );
        for (const response of inside(app).clients.keys()) responses.add(response);
        expect(inside(app).timer?.hasRef()).toBe(false);
        for (const reader of readers) reader.disconnect();
        await until(() => inside(app).clients.size === 0);
      }
      expect(responses.size).toBe(100);
      expect(inside(app).timer).toBeUndefined();
      expect(listeners()).toEqual(before);
      const connections = await new Promise<number>((resolve) => {
        server.getConnections((_, count) => resolve(count));
      });
      expect(connections).toBe(0);
    });

    it('no client that goes before the answer begins', async () => {
      const entered = deferred();
      const admitted = deferred();
      class Slow implements CanActivate {
        async canActivate(context: ExecutionContext): Promise<boolean> {
          response = rawOf(context);
          entered.resolve();
          await admitted.promise;
          return true;
        }
      }
      let response: ServerResponse | undefined;
      const { url, app } = await streaming({ guards: [Slow] });
      const serving = jest.spyOn(app.get(EventStream, { strict: false }), 'serve');
      const gone = new AbortController();
      const answer = outcome(fetch(`${url}/hystrix.stream`, { signal: gone.signal }));
      await entered.promise;
      gone.abort();
      await answer;
      await until(() => response!.destroyed);
      admitted.resolve();
      await until(() => serving.mock.calls.length === 1);
      expect(inside(app)).toMatchObject({ clients: new Map(), timer: undefined });
    });

    it('only as much as a slow client can take, until it reads', async () => {
      const { url, app } = await streaming({}, { providers: [Huge] });
      const socket = await silent(url);
      const response = await stalled(app);
      const { writableLength } = response;
      expect(writableLength).toBeLessThan(2 * eventLength);

      const other = await read(`${url}/hystrix.stream`);
      await sent(other, 5);
      expect(response.writableLength).toBe(writableLength);
      other.disconnect();

      const socketBefore = socket.bytesRead;
      socket.resume();
      await until(() => socket.bytesRead > socketBefore + 3 * eventLength + writableLength);
      socket.destroy();
      await until(() => inside(app).clients.size === 0);
    });

    it('no client whose response other code has ended', async () => {
      const { url, app } = await streaming();
      const reader = await read(`${url}/hystrix.stream`);
      const [[response]] = [...inside(app).clients] as [[ServerResponse, unknown]];
      const errors: unknown[] = [];
      response.on('error', (error) => errors.push(error));
      response.end();
      inside(app).tick();
      expect(await reader.ended).toBe(true);
      await until(() => inside(app).clients.size === 0);
      expect(errors).toEqual([]);
    });

    it('HEAD requests with the head only', async () => {
      const { url, app } = await streaming();
      const answer = await fetch(`${url}/hystrix.stream`, { method: 'HEAD' });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/event-stream;charset=UTF-8');
      expect(await answer.text()).toBe('');
      expect(inside(app).clients.size).toBe(0);
    });
  });

  describe('ends', () => {
    it('with the application, which does not wait for its clients', async () => {
      const { url, app } = await streaming({}, counting());
      const readers = await Promise.all(
        Array.from({ length: 3 }, () => read(`${url}/hystrix.stream`)),
      );
      await Promise.all(readers.map((reader) => sent(reader)));
      const started = Date.now();
      await app.close();
      expect(Date.now() - started).toBeLessThan(1_000);
      expect(await Promise.all(readers.map(({ ended }) => ended))).toEqual([true, true, true]);
      expect(inside(app).clients.size).toBe(0);
      expect(inside(app).timer).toBeUndefined();
    });

    it('also for a client that does not read', async () => {
      const { url, app } = await streaming({}, { providers: [Huge] });
      const socket = await silent(url);
      await stalled(app);
      const started = Date.now();
      await app.close();
      expect(Date.now() - started).toBeLessThan(1_000);
      socket.destroy();
    });

    it('for clients that come while the application closes', async () => {
      const { url, app } = await streaming();
      app.get<EventStream>(EventStream, { strict: false }).onModuleDestroy();
      const refused = await fetch(`${url}/hystrix.stream`);
      expect(refused.status).toBe(503);
      expect(await refused.text()).toBe('Service has been shut down.');
    });
  });
});

/** Node's response under Express or Fastify. */
function rawOf(context: ExecutionContext): ServerResponse {
  const response = context.switchToHttp().getResponse<ServerResponse & { raw?: ServerResponse }>();
  return response.raw ?? response;
}

/** A client that sends a request and reads only on demand. */
async function silent(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.pause();
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(`GET /hystrix.stream HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  return socket;
}
