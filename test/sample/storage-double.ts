import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const BOOKS = [
  { id: 1, title: 'One book', author: 'John Doe', desc: '' },
  { id: 2, title: 'Second book', author: 'Jane Doe', desc: '' },
];

/** How the double answers a request. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage) => void;

export function answer(status: number, body: unknown): Behaviour {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

export const healthy: Behaviour = (response, request) => {
  const id = /^\/books\/(\d+)$/.exec(request.url ?? '')?.[1];
  const book = BOOKS.find((candidate) => String(candidate.id) === id);
  answer(id !== undefined && book === undefined ? 404 : 200, id === undefined ? BOOKS : book)(
    response,
    request,
  );
};

export const databaseDown = answer(500, { error: 'ops, I cant process you request' });

/** Replaces storagesvc: a real server on loopback that behaves as a test decides. */
export class StorageDouble {
  requests = 0;
  behave: Behaviour = healthy;
  private server: Server | undefined;
  private port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => {
      this.requests += 1;
      this.behave(response, request);
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
  }

  /** Refuses connections from now on. */
  async close(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (server !== undefined) {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    }
  }
}
