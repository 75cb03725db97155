import { createServer, type Server, type Socket } from 'node:net';
import type { Backend } from './backend.js';
import { Session } from './session.js';
import { Turns } from './turns.js';

/**
 * Serves a PGlite over the Postgres wire protocol to any number of clients.
 *
 * `@electric-sql/pglite-socket` is not used because it takes turns after each message: with several
 * connections, the Bind of one meets the Parse of another and clients get each other's rows.
 */
export class WireServer {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  constructor(
    private readonly database: Backend,
    onError: (error: Error) => void,
  ) {
    const turns = new Turns();
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      new Session(socket, database, turns, onError);
    });
  }

  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject).listen(port, host, resolve);
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) {
      socket.destroy();
    }
    await closed;
    await this.database.close();
  }
}
