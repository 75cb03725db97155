import type { ServerResponse } from 'node:http';
import {
  type Http2Server,
  type ServerHttp2Session,
  connect,
  constants,
  createServer,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { deferred, until } from '../../test/support/wait.js';
import { EventStream } from './event-stream.js';

/** As with Fastify's `http2`; HTTP/1.1 is the matter of test/hystrix-stream-clients.e2e-spec.ts. */
describe('an event stream over HTTP/2', () => {
  let server: Http2Server;
  const sessions = new Set<ServerHttp2Session>();
  afterEach(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });

  const serving = async (handle: (response: ServerResponse) => void) => {
    server = createServer((_, response) => handle(response as unknown as ServerResponse));
    server.on('session', (session) => sessions.add(session));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  };

  const inside = (stream: EventStream) =>
    stream as unknown as {
      clients: Map<ServerResponse, { ready: boolean }>;
      timer: NodeJS.Timeout | undefined;
    };

  it('is read until the client goes', async () => {
    const stream = new EventStream({ interval: 2, maxConnections: 1 }, () => 'ping: \n\n');
    const client = await serving((response) => stream.serve('GET', response));
    const request = client.request().on('error', () => {});
    let received = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
    await until(() => received.startsWith('ping: \n\nping: \n\n'));
    request.close(constants.NGHTTP2_CANCEL);
    await until(() => inside(stream).clients.size === 0);
    expect(inside(stream).timer).toBeUndefined();
    client.destroy();
  });

  it('does not add a client that has already gone', async () => {
    const stream = new EventStream({ interval: 2, maxConnections: 1 }, () => 'ping: \n\n');
    const entered = deferred<ServerResponse>();
    const client = await serving((response) => entered.resolve(response));
    const request = client.request().on('error', () => {});
    const response = await entered.promise;
    const closed = new Promise((resolve) => response.once('close', resolve));
    request.close(constants.NGHTTP2_CANCEL);
    await closed;
    stream.serve('GET', response);
    expect(inside(stream)).toMatchObject({ clients: new Map(), timer: undefined });
    client.destroy();
  });

  it('does not touch a response that other code has sent', async () => {
    const stream = new EventStream({ interval: 2, maxConnections: 1 }, () => 'ping: \n\n');
    const client = await serving((response) => {
      response.end('busy');
      stream.serve('GET', response);
    });
    let received = '';
    client.request().on('data', (chunk: Buffer) => (received += chunk.toString()));
    await until(() => received === 'busy');
    expect(inside(stream).clients.size).toBe(0);
    client.destroy();
  });

  it('sends all clients the same', async () => {
    let passes = 0;
    const stream = new EventStream({ interval: 2, maxConnections: 3 }, () => `${(passes += 1)} `);
    const client = await serving((response) => stream.serve('GET', response));
    const received = ['', '', ''];
    received.forEach((_, reader) => {
      const request = client.request();
      request.setEncoding('utf8').on('data', (chunk: string) => (received[reader] += chunk));
    });
    await until(() => received.every((text) => text.includes('9 10 11 ')));
    client.destroy();
  });

  it('leaves out a client that does not read', async () => {
    let passes = 0;
    const stream = new EventStream({ interval: 1, maxConnections: 1 }, () => {
      passes += 1;
      return 'x'.repeat(100_000);
    });
    const client = await serving((response) => stream.serve('GET', response));
    client.request();
    await until(() => [...inside(stream).clients.values()].some(({ ready }) => !ready));
    const [response] = inside(stream).clients.keys();
    const { writableLength } = response!;
    const before = passes;
    await until(() => passes > before + 5);
    expect(response!.writableLength).toBeLessThanOrEqual(writableLength);
    client.destroy();
    await until(() => inside(stream).clients.size === 0);
  });
});
