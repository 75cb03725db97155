import { look, lookForText } from '../look.js';
import type { ErrorKey, OutcomeTable } from '../table.js';

const SQLSTATE = /^[0-9A-Z]{5}$/;

const PRISMA_RAW_QUERY_FAILED = 'P2010';

/**
 * The SQLSTATE that a driver reports: `sqlState` (mysql2, mariadb), or `code` beside a `severity` (pg, postgres.js,
 * PGlite). The `severity` is needed because `EPIPE`, for example, has five characters too.
 */
function stateOf(error: unknown): string | undefined {
  const code = lookForText(error, 'code');
  const state =
    lookForText(error, 'severity') === undefined
      ? (lookForText(error, 'sqlState') ?? lookForText(error, 'sqlstate'))
      : code;
  if (state !== undefined) return state.match(SQLSTATE)?.[0];
  if (code !== PRISMA_RAW_QUERY_FAILED) return undefined;
  return lookForText(look(error, 'meta'), 'code')?.match(SQLSTATE)?.[0];
}

/** The driver's error: the error itself, or the one that an ORM has wrapped (TypeORM, Sequelize, Drizzle). */
function driverErrorOf(error: unknown): unknown {
  if (stateOf(error) !== undefined) return error;
  for (const key of ['driverError', 'original', 'parent']) {
    const inner = look(error, key);
    if (stateOf(inner) !== undefined) return inner;
  }
  // Drizzle's DrizzleQueryError has a query, its parameters and a cause.
  return lookForText(error, 'query') === undefined ? error : look(error, 'cause');
}

/** The state and its class, and before them the database's own name for the error (MySQL). */
function keysOf(error: unknown): readonly ErrorKey[] {
  const driverError = driverErrorOf(error);
  const state = stateOf(driverError);
  if (state === undefined) return [];
  const code = lookForText(driverError, 'code');
  return [...(code === undefined ? [] : [code]), state, `${state.slice(0, 2)}xxx`];
}

export const sql: OutcomeTable = {
  client: 'SQLSTATE',
  recognized:
    '`code` beside `severity` (pg, PGlite, postgres.js), `sqlState` (mysql2, mariadb); also in `driverError` (TypeORM), `original` (Sequelize), `cause` (Drizzle), `meta.code` (raw queries of Prisma)',
  source: 'https://www.postgresql.org/docs/current/errcodes-appendix.html',
  keysOf,
  rows: [
    {
      keys: [
        '01xxx',
        '02xxx',
        '03xxx',
        '09xxx',
        '0Axxx',
        '0Bxxx',
        '0Fxxx',
        '0Lxxx',
        '0Pxxx',
        '0Zxxx',
      ],
      outcome: 'success',
      meaning: 'warnings, no data, not supported, not allowed',
    },
    { keys: ['08xxx'], outcome: 'failure', meaning: 'connection exception' },
    {
      keys: ['10xxx', '20xxx', '21xxx'],
      outcome: 'success',
      meaning: 'XQuery, case not found, cardinality',
    },
    { keys: ['22xxx'], outcome: 'success', meaning: 'data exception' },
    { keys: ['23xxx'], outcome: 'success', meaning: 'integrity constraint violation' },
    {
      keys: ['25006'],
      outcome: 'failure',
      meaning: 'read-only transaction: a write has reached a standby, as after a failover',
    },
    {
      keys: ['25P03', '25P04'],
      outcome: 'failure',
      meaning: 'the session or transaction took too long',
    },
    {
      keys: ['24xxx', '25xxx', '26xxx', '27xxx', '2Bxxx', '2Dxxx', '2Fxxx'],
      outcome: 'success',
      meaning: 'invalid state of a cursor, transaction, statement or dependency',
    },
    { keys: ['28xxx'], outcome: 'success', meaning: 'invalid authorization, as status 401' },
    {
      keys: ['34xxx', '38xxx', '39xxx', '3Bxxx', '3Dxxx', '3Fxxx'],
      outcome: 'success',
      meaning: 'invalid names, external routines, savepoints',
    },
    { keys: ['40002'], outcome: 'success', meaning: 'transaction integrity constraint violation' },
    { keys: ['40xxx'], outcome: 'failure', meaning: 'rollback: serialization failure, deadlock' },
    { keys: ['42xxx'], outcome: 'success', meaning: 'syntax error or access rule violation' },
    { keys: ['44xxx'], outcome: 'success', meaning: 'WITH CHECK OPTION violation' },
    {
      keys: ['53xxx'],
      outcome: 'failure',
      meaning: 'insufficient resources: connections, memory, disk',
    },
    {
      keys: ['54xxx'],
      outcome: 'success',
      meaning: 'program limit exceeded: statement too complex',
    },
    {
      keys: ['55P02', '55P04'],
      outcome: 'success',
      meaning: 'parameter or enum value cannot be used',
    },
    { keys: ['55xxx'], outcome: 'failure', meaning: 'object in use, lock not available' },
    {
      keys: ['57xxx'],
      outcome: 'failure',
      meaning: 'operator intervention: shutdown, query cancelled',
    },
    {
      keys: ['58xxx', '72xxx', 'F0xxx', 'HVxxx', 'XXxxx'],
      outcome: 'failure',
      meaning: 'system and internal errors',
    },
    { keys: ['P0xxx'], outcome: 'success', meaning: 'raised by a procedure' },
  ],
};
