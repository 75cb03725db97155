import {
  PrismaClientInitializationError,
  PrismaClientKnownRequestError,
  PrismaClientRustPanicError,
  PrismaClientUnknownRequestError,
  PrismaClientValidationError,
} from '@prisma/client/runtime/library';
import * as mongodb from 'mongodb';
import mysql from 'mysql2/promise';
import { Client, DatabaseError } from 'pg';
import { QueryFailedError } from 'typeorm';
import { defaultOutcome } from '../../src/common/outcomes/default-outcome.js';
import { closedPort, errorOf, everyKeyOf, inside } from './support.js';

/** `22xxx` stands for a class of states. */
const example = (key: unknown): string => String(key).replace('xxx', '999');

const pg = (code: string): Error =>
  Object.assign(new DatabaseError('x', 100, 'error'), { code, severity: 'ERROR' });

describe('the outcome of an error of pg', () => {
  it.each(everyKeyOf('SQLSTATE'))('with the state %s is a %s: %s', (key, outcome) => {
    const error = pg(example(key));
    expect(defaultOutcome(error)).toBe(outcome);
    expect(defaultOutcome(new QueryFailedError('select 1', [], error))).toBe(outcome);
  });

  it.each([
    ['23505', 'unique_violation', 'success'],
    ['23503', 'foreign_key_violation', 'success'],
    ['22P02', 'invalid_text_representation', 'success'],
    ['42P01', 'undefined_table', 'success'],
    ['28P01', 'invalid_password', 'success'],
    ['40001', 'serialization_failure', 'failure'],
    ['40P01', 'deadlock_detected', 'failure'],
    ['53300', 'too_many_connections', 'failure'],
    ['55P03', 'lock_not_available', 'failure'],
    ['57014', 'query_canceled', 'failure'],
    ['57P01', 'admin_shutdown', 'failure'],
    ['57P03', 'cannot_connect_now', 'failure'],
    ['08006', 'connection_failure', 'failure'],
    ['XX000', 'internal_error', 'failure'],
    ['25006', 'read_only_sql_transaction', 'failure'],
    ['99999', 'of a class that nobody knows', 'failure'],
  ])('%s (%s) is a %s', (code, _name, outcome) => {
    expect(defaultOutcome(pg(code))).toBe(outcome);
  });

  it.each<[string, (error: Error) => object]>([
    ['TypeORM', (error) => new QueryFailedError('select 1', [], error)],
    ['Sequelize', (original) => Object.assign(new Error('x'), { parent: original, original })],
    [
      'Drizzle',
      (cause) => Object.assign(new Error('Failed query', { cause }), { query: 'q', params: [] }),
    ],
  ])('is recognized inside an error of %s', (_name, wrap) => {
    expect(defaultOutcome(wrap(pg('23505')))).toBe('success');
    expect(defaultOutcome(wrap(pg('40001')))).toBe('failure');
  });

  it('is not taken from a code of five letters alone', () => {
    for (const code of ['EPIPE', '23505']) {
      expect(defaultOutcome(Object.assign(new Error('x'), { code }))).toBe('failure');
    }
  });

  it('that cannot connect is a failure', async () => {
    const client = new Client({ host: '127.0.0.1', port: await closedPort() });
    expect(defaultOutcome(await errorOf(() => client.connect()))).toBe('failure');
  });
});

/** The error that mysql2 makes of an error packet. */
function mysqlError(errno: number, state: string): Error {
  const Packet = inside('mysql2', 'lib/packets/packet.js') as new (...args: unknown[]) => {
    asError(encoding: string): Error;
  };
  const body = Buffer.from(`\u00ff__#${state}message`, 'latin1');
  body.writeUInt16LE(errno, 1);
  const header = Buffer.from([body.length, 0, 0, 1]);
  const buffer = Buffer.concat([header, body]);
  return new Packet(0, buffer, 0, buffer.length).asError('utf8');
}

describe('the outcome of an error of mysql2', () => {
  const numbers = inside('mysql2', 'lib/constants/errors.js') as Record<string, number>;

  it.each(everyKeyOf('MySQL, MariaDB'))('%s is a %s: %s', (key, outcome) => {
    const errno = numbers[key];
    const state = key === 'ER_TOO_MANY_USER_CONNECTIONS' ? '42000' : 'HY000';
    const error = errno === undefined ? mysqlError(1105, example(key)) : mysqlError(errno, state);
    if (errno !== undefined) expect(error).toMatchObject({ code: key });
    expect(defaultOutcome(error)).toBe(outcome);
  });

  it.each([
    ['ER_DUP_ENTRY', '23000', 'success'],
    ['ER_NO_REFERENCED_ROW_2', '23000', 'success'],
    ['ER_PARSE_ERROR', '42000', 'success'],
    ['ER_ACCESS_DENIED_ERROR', '28000', 'success'],
    ['ER_DATA_TOO_LONG', '22001', 'success'],
    ['ER_LOCK_DEADLOCK', '40001', 'failure'],
    ['ER_LOCK_WAIT_TIMEOUT', 'HY000', 'failure'],
    ['ER_CON_COUNT_ERROR', '08004', 'failure'],
    ['ER_SERVER_SHUTDOWN', '08S01', 'failure'],
    ['ER_USER_LIMIT_REACHED', '42000', 'failure'],
    ['ER_QUERY_INTERRUPTED', '70100', 'failure'],
    ['ER_SIGNAL_EXCEPTION', '45000', 'success'],
  ])('%s (%s) is a %s', (name, state, outcome) => {
    const error = mysqlError(numbers[name]!, state);
    expect(error).toMatchObject({ code: name, sqlState: state });
    expect(defaultOutcome(error)).toBe(outcome);
  });

  it('that cannot connect is a failure', async () => {
    const port = await closedPort();
    const error = await errorOf(() => mysql.createConnection({ host: '127.0.0.1', port }));
    expect(defaultOutcome(error)).toBe('failure');
  });
});

describe('the outcome of an error of Prisma', () => {
  const clientVersion = '6';
  const known = (code: string, meta?: Record<string, unknown>): Error =>
    new PrismaClientKnownRequestError('x', { code, clientVersion, ...(meta && { meta }) });
  const uncoded: Readonly<Record<string, Error>> = {
    PrismaClientInitializationError: new PrismaClientInitializationError('x', clientVersion),
    PrismaClientUnknownRequestError: new PrismaClientUnknownRequestError('x', { clientVersion }),
    PrismaClientRustPanicError: new PrismaClientRustPanicError('x', clientVersion),
  };

  it.each(everyKeyOf('Prisma'))('%s is a %s: %s', (key, outcome) => {
    const error = uncoded[key] ?? known(String(key).replace('xxx', '999'));
    expect(defaultOutcome(error)).toBe(outcome);
  });

  it.each([
    ['P2002', 'success'],
    ['P2003', 'success'],
    ['P2025', 'success'],
    ['P1001', 'failure'],
    ['P1008', 'failure'],
    ['P2024', 'failure'],
    ['P2034', 'failure'],
  ])('%s is a %s', (code, outcome) => {
    expect(defaultOutcome(known(code))).toBe(outcome);
  });

  it('that has a reason for its failed start has the outcome of that reason', () => {
    const error = new PrismaClientInitializationError('x', clientVersion, 'P1000');
    expect(defaultOutcome(error)).toBe('success');
  });

  it('of a raw query has the outcome of the error of the database', () => {
    expect(defaultOutcome(known('P2010', { code: '23505', message: 'x' }))).toBe('success');
    expect(defaultOutcome(known('P2010', { code: '40001', message: 'x' }))).toBe('failure');
    expect(defaultOutcome(known('P2010'))).toBe('failure');
  });

  it('that was a wrong argument is ignored', () => {
    const error = new PrismaClientValidationError('x', { clientVersion });
    expect(defaultOutcome(error)).toBe('ignored');
  });
});

describe('the outcome of an error of mongodb', () => {
  const server = (answer: object): Error =>
    new mongodb.MongoServerError({ errmsg: 'x', ...answer });
  const { PoolClearedError } = inside('mongodb', 'lib/cmap/errors.js') as {
    PoolClearedError: new (pool: object) => Error;
  };
  const classes = mongodb as unknown as Record<string, new (...args: unknown[]) => Error>;

  it.each(everyKeyOf('MongoDB'))('%s is %s: %s', (key, outcome, meaning) => {
    if (key === 'MongoServerError')
      return expect(defaultOutcome(server({ code: 8 }))).toBe(outcome);
    const error =
      typeof key === 'number'
        ? server({ code: key })
        : meaning === 'labelled as transient'
          ? server({ code: 11000, errorLabels: [key] })
          : key === 'MongoPoolClearedError'
            ? new PoolClearedError({ address: 'x' })
            : made(String(key));
    expect(defaultOutcome(error)).toBe(outcome);
  });

  function made(name: string): Error {
    const type = classes[name]!;
    const args = name === 'MongoWriteConcernError' ? [{ writeConcernError: {}, ok: 1 }] : ['x', {}];
    const error = new type(...args);
    expect(error.name).toBe(name);
    return error;
  }

  it.each([
    [11000, 'DuplicateKey', 'success'],
    [121, 'DocumentValidationFailure', 'success'],
    [13, 'Unauthorized', 'success'],
    [112, 'WriteConflict', 'failure'],
    [50, 'MaxTimeMSExpired', 'failure'],
    [91, 'ShutdownInProgress', 'failure'],
    [10107, 'NotWritablePrimary', 'failure'],
  ])('%p (%s) is a %s', (code, codeName, outcome) => {
    expect(defaultOutcome(server({ code, codeName }))).toBe(outcome);
  });

  it('that cannot connect is a failure', async () => {
    const url = `mongodb://127.0.0.1:${await closedPort()}`;
    const client = new mongodb.MongoClient(url, { serverSelectionTimeoutMS: 10 });
    expect(defaultOutcome(await errorOf(() => client.connect()))).toBe('failure');
    await client.close();
  });
});
