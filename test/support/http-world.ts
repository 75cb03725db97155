import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { ManualClock } from '../../src/testing/index.js';

/** A server that answers by the path of a request, and records its requests. */
export class HttpWorld {
  readonly asked: { method: string; path: string; body: string }[] = [];
  /** Sockets that wait for an answer that never comes. */
  hanging = 0;
  /** Called when a request will hang. */
  onHang: () => void = () => {};
  private readonly servers: Server[] = [];

  constructor(private readonly clock: () => ManualClock) {}

  /** @returns the origin */
  async listen(host: string): Promise<string> {
    const server = createServer((request, response) => void this.answer(request, response));
    this.servers.push(server);
    server.listen(0, host);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  async close(): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!.split('?', 1)[0]!;
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.asked.push({ method: request.method!, path, body });
    const status = Number(/^\/(\d{3})$/.exec(path)?.[1]);
    if (status > 0) return void response.writeHead(status).end('{"answer":1}');
    switch (path) {
      case '/429-seconds':
        return void response.writeHead(429, { 'retry-after': '2' }).end('{}');
      case '/429-date': {
        const date = new Date(this.clock().wall() + 3_000).toUTCString();
        return void response.writeHead(429, { 'retry-after': date }).end('{}');
      }
      case '/slow':
        return void setTimeout(() => response.end('{"answer":1}'), 5);
      case '/reset':
        return void response.socket!.destroy();
      case '/truncated':
        response.writeHead(200, { 'content-length': '100' });
        return void response.write('half', () => response.socket!.destroy());
      case '/hang':
        this.hanging += 1;
        response.on('close', () => (this.hanging -= 1));
        return this.onHang();
      case '/redirect':
        return void response.writeHead(302, { location: '/200' }).end();
      case '/stream':
        response.writeHead(200, { 'content-type': 'text/plain' }).write('first ');
        return void response.on('close', () => {});
      default:
        return void response.writeHead(200).end(body || '{}');
    }
  }
}
