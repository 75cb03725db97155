import { once } from 'node:events';
import { join } from 'node:path';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { tables } from '../../src/common/outcomes/tables/index.js';
import type { ErrorKey, OutcomeTable } from '../../src/common/outcomes/table.js';

/** The error that `work` ends with. */
export async function errorOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const listening = new Set<Server>();
const sockets = new Set<Socket>();

/** @returns the port */
export async function listen(server: Server): Promise<number> {
  listening.add(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** To be called after all tests. */
export async function closeServers(): Promise<void> {
  for (const server of listening) {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  listening.clear();
  sockets.clear();
}

/** A port without a listener. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  listening.delete(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A module inside a package that does not export it. */
export function inside(name: string, path: string): unknown {
  return require(join(__dirname, '../../node_modules', name, path)) as unknown;
}

export function tableOf(client: string): OutcomeTable {
  const table = tables.find((each) => each.client === client);
  if (table === undefined) throw new Error(`no table ${client}`);
  return table;
}

/** Every key of a client's table with its outcome, for `it.each`. */
export function everyKeyOf(client: string): [key: ErrorKey, outcome: string, meaning: string][] {
  return tableOf(client).rows.flatMap(({ keys, outcome, meaning }) =>
    keys.map((key): [ErrorKey, string, string] => [key, outcome, meaning]),
  );
}
