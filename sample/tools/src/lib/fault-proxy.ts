import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { HOST } from './net.js';

/** What the proxy does to requests instead of passing them on. */
export type Fault = 'none' | 'malformed' | 'reset' | 'hang' | { readonly status: number };

/** Stands in front of storagesvc: counts the requests that it gets and can spoil them. */
export class FaultProxy {
  fault: Fault = 'none';
  requests = 0;
  private server: Server | undefined;
  private held: (() => void)[] | undefined;
  private port = 0;

  constructor(private readonly targetPort: number) {}

  get url(): string {
    return `http://${HOST}:${this.port}`;
  }

  /** Connections are accepted, on the same port as before. */
  async accept(): Promise<void> {
    const server = createServer((incoming, outgoing) => this.handle(incoming, outgoing));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.port, HOST, resolve);
    });
    const address = server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Connections are refused, as on a port where no process listens. */
  async refuse(): Promise<void> {
    const server = this.server;
    if (server !== undefined) {
      this.server = undefined;
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    }
  }

  /** Requests wait until `letGo`. */
  hold(): void {
    this.held = [];
  }

  letGo(): void {
    const held = this.held ?? [];
    this.held = undefined;
    held.forEach((go) => go());
  }

  private handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.requests += 1;
    if (this.held === undefined) {
      this.answer(incoming, outgoing);
    } else {
      this.held.push(() => this.answer(incoming, outgoing));
    }
  }

  private answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    switch (this.fault) {
      case 'none':
        this.forward(incoming, outgoing);
        return;
      case 'malformed':
        outgoing.writeHead(200, { 'content-type': 'application/json' }).end('[{"id":1,"tit');
        return;
      case 'reset':
        incoming.socket.resetAndDestroy();
        return;
      case 'hang':
        return;
      default:
        outgoing
          .writeHead(this.fault.status, { 'content-type': 'application/json' })
          .end('{"error":"made by the fault proxy"}');
    }
  }

  private forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { url = '/', method = 'GET', headers } = incoming;
    const forwarded = request(
      { host: HOST, port: this.targetPort, path: url, method, headers, agent: false },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on('error', () => incoming.socket.resetAndDestroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  }
}
