import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createServer } from 'node:net';
import { Pool } from 'pg';
import request from 'supertest';
import { WireServer } from '../../sample/database/src/wire-server.js';
import { AppModule } from '../../sample/storagesvc/src/app.module.js';
import { readConfig, storagesvcConfig } from '../../sample/storagesvc/src/config.js';
import { startPglite } from './pglite.js';
import { BOOKS } from './storage-double.js';

const HOST = '127.0.0.1';
const ERROR = { error: 'ops, I cant process you request' };

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, HOST, () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function startDatabase(port: number): Promise<WireServer> {
  const errors: Error[] = [];
  const server = new WireServer(await startPglite(), (error) => errors.push(error));
  await server.listen(port, HOST);
  return server;
}

jest.setTimeout(60_000);

describe('the database', () => {
  let database: WireServer;
  let pool: Pool;

  beforeAll(async () => {
    const port = await freePort();
    database = await startDatabase(port);
    pool = new Pool({ host: HOST, port, user: 'postgres', database: 'postgres', max: 8 });
    pool.on('error', () => undefined);
    await pool.query('CREATE TABLE counted (n integer PRIMARY KEY)');
  });

  afterAll(async () => {
    await pool.end();
    await database.close();
  });

  it('isolates its clients: rows, errors and transactions', async () => {
    const ask = async (n: number): Promise<unknown> => {
      const extra = n % 2 === 0 ? [n] : [n, 'text'];
      const { rows } = await pool.query(
        `SELECT $1::int AS n ${n % 2 === 0 ? '' : ', $2::text AS t'}`,
        extra,
      );
      return rows[0].n;
    };
    const fail = async (n: number): Promise<unknown> =>
      pool.query('SELECT * FROM nothing WHERE n = $1', [n]).catch((error: Error) => error.message);
    const count = async (n: number): Promise<unknown> => {
      const client = await pool.connect();
      await client.query('BEGIN');
      await client.query('INSERT INTO counted VALUES ($1)', [n]);
      await client.query(n % 2 === 0 ? 'ROLLBACK' : 'COMMIT');
      client.release();
      return n;
    };
    const kinds = [ask, fail, count];

    const results = await Promise.all(
      Array.from({ length: 90 }, (_, n) => kinds[n % kinds.length]!(n)),
    );

    results.forEach((result, n) => {
      expect(result).toEqual(n % 3 === 1 ? expect.stringContaining('nothing') : n);
    });
    // Of the 30 transactions, every other one was committed.
    const { rowCount } = await pool.query('SELECT n FROM counted');
    expect(rowCount).toBe(15);
  });

  it('rolls back the transaction of a client that disconnects', async () => {
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query('INSERT INTO counted VALUES (1000)');
    client.release(true); // destroys the connection

    const { rowCount } = await pool.query('SELECT n FROM counted WHERE n = $1', [1_000]);

    expect(rowCount).toBe(0);
  });
});

describe('storagesvc', () => {
  let app: INestApplication;
  let database: WireServer | undefined;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    const config = readConfig({ DATABASE_URL: `postgres://postgres:x@${HOST}:${port}/postgres` });
    const moduleRef = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(storagesvcConfig.KEY)
      .useValue(config)
      .compile();
    app = moduleRef.createNestApplication({ logger: false });
    await app.listen(0, HOST);
  });

  afterAll(async () => {
    await app.close();
    await database?.close();
  });

  const ask = (path: string): request.Test => request(app.getHttpServer()).get(path);

  it('starts without its database, is healthy and answers 500', async () => {
    await ask('/health').expect(200, { status: 'ok', database: 'down' });
    await ask('/books').expect(500, ERROR);
  });

  it('has its books as soon as the database is there', async () => {
    database = await startDatabase(port);
    await ask('/books').expect(200, BOOKS);
    await ask('/books').expect(200, BOOKS);
    await ask('/books/2').expect(200, BOOKS[1]);
    await ask('/health').expect(200, { status: 'ok', database: 'up' });
  });

  it('answers 404 and 400', async () => {
    await ask('/books/3').expect(404);
    await ask('/books/x').expect(400);
  });

  it('answers 500 when the database goes, and recovers when it comes back empty', async () => {
    await database?.close();
    await ask('/books').expect(500, ERROR);
    database = await startDatabase(port);
    await ask('/books').expect(200, BOOKS);
  });
});
