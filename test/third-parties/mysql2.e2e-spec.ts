import mysql from 'mysql2';
import { createPool as createPromisePool } from 'mysql2/promise';
import { CircuitOpenError, isFailure } from '../../src/index.js';
import { errorOf } from '../outcomes/support.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { deferred, until } from '../support/wait.js';

const breaker = { circuitBreaker: { consecutiveFailures: 2, openFor: '5s' } } as const;

type Server = ReturnType<typeof mysql.createServer>;

const COLUMN = {
  catalog: 'def',
  schema: '',
  table: '',
  orgTable: '',
  name: 'n',
  orgName: 'n',
  characterSet: 63,
  columnLength: 11,
  columnType: 3,
  flags: 129,
  decimals: 0,
};

/** A server that speaks the protocol, and answers every query with one row. */
function startServer(): Server {
  const server = mysql.createServer((connection: any) => {
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: 'own',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xffffff ^ 2048,
      authCallback: (_: unknown, done: () => void) => {
        done();
        connection._resetSequenceId();
      },
    });
    connection.on('query', () => {
      connection.writeTextResult([{ n: 1 }], [COLUMN]);
      connection._resetSequenceId(); // as the next query does
    });
    connection.on('error', () => {});
  });
  server.listen(0);
  return server;
}

const portOf = (server: any): number => server._server.address().port as number;

describe('a pool of mysql2 under protect()', () => {
  let server: Server;
  let port: number;
  let booted: Booted;
  let pool: mysql.Pool | undefined;

  beforeEach(async () => {
    booted = await boot();
    server = startServer();
    await until(() => (server as any)._server.listening);
    port = portOf(server);
  });

  afterEach(async () => {
    pool?.end(() => {});
    pool = undefined;
    jest.restoreAllMocks();
    await closeAll();
    (server as any)._server.close();
  });

  it('of promises answers queries, and rejects them while the server is gone', async () => {
    const pool = createPromisePool({ host: '127.0.0.1', port, user: 'x' });
    const p = booted.service.protect(pool, { name: 'mysql', methods: { query: breaker } });
    const [rows] = await p.query('select 1 as n');
    expect(rows).toEqual([{ n: 1 }]);
    await pool.end();
    const gone = createPromisePool({ host: '127.0.0.1', port: 1, user: 'x' });
    const q = booted.service.protect(gone, { name: 'mysql', methods: { query: breaker } });
    for (let failed = 0; failed < 2; failed++) {
      expect(isFailure(await errorOf(() => q.query('select 1')))).toBe(true);
    }
    await expect(q.query('select 1')).rejects.toBeInstanceOf(CircuitOpenError);
    await gone.end();
  });

  it('of callbacks stays unprotected: its queries are not promises, although they have a then()', async () => {
    const told = jest.spyOn(console, 'log').mockImplementation(() => {});
    pool = mysql.createPool({ host: '127.0.0.1', port, user: 'x' });
    for (const policies of [{ '*': breaker }, { methods: { query: breaker } as never }]) {
      const p = booted.service.protect(pool, {
        name: `mysql ${Object.keys(policies)[0]}`,
        ...policies,
      });
      const called = deferred<unknown>();
      const query = p.query('select 1 as n', (_error: unknown, rows: unknown) =>
        called.resolve(rows),
      );
      expect(typeof query.on).toBe('function');
      expect(await called.promise).toEqual([{ n: 1 }]);
      const rows: unknown[] = [];
      const streamed = deferred();
      p.query('select 1 as n')
        .on('result', (row: unknown) => rows.push(row))
        .on('end', () => streamed.resolve());
      await streamed.promise;
      expect(rows).toEqual([{ n: 1 }]);
    }
    expect(told).not.toHaveBeenCalled();
  });
});
