import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { HOST } from '../../../../sample/launcher/src/net.js';

/** Sits between booksvc and the services that it calls; always on the same port. */
export abstract class LoopbackServer {
  private server: Server | undefined;
  private ownPort = 0;

  get port(): number {
    return this.ownPort;
  }

  get url(): string {
    return `http://${HOST}:${this.ownPort}`;
  }

  /** Connections are accepted, on the same port as before. */
  async accept(): Promise<void> {
    const server = createServer((incoming, outgoing) => this.handle(incoming, outgoing));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.ownPort, HOST, resolve);
    });
    const address = server.address();
    this.ownPort = typeof address === 'object' && address !== null ? address.port : 0;
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

  protected abstract handle(incoming: IncomingMessage, outgoing: ServerResponse): void;

  protected forward(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    { port, path = '/' }: { readonly port: number; readonly path?: string | undefined },
  ): void {
    const { method = 'GET', headers } = incoming;
    const forwarded = request(
      { host: HOST, port, path, method, headers, agent: false },
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
