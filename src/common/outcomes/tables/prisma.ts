import { look, lookForText } from '../look.js';
import type { ErrorKey, OutcomeTable } from '../table.js';

const CODE = /^P\d{4}$/;

function keysOf(error: unknown): readonly ErrorKey[] {
  const name = lookForText(error, 'name') ?? '';
  if (!name.startsWith('PrismaClient') && look(error, 'clientVersion') === undefined) return [];
  const code = lookForText(error, 'code') ?? lookForText(error, 'errorCode');
  if (!code?.match(CODE)) return [name];
  return [code, `${code.slice(0, 2)}xxx`];
}

export const prisma: OutcomeTable = {
  client: 'Prisma',
  recognized: '`code` or `errorCode` of `PrismaClient…Error`',
  source: 'https://www.prisma.io/docs/orm/reference/error-reference',
  keysOf,
  rows: [
    {
      keys: ['P1000', 'P1010'],
      outcome: 'success',
      meaning: 'authentication failed, access denied, as status 401',
    },
    {
      keys: ['P1003', 'P1009', 'P1014'],
      outcome: 'success',
      meaning: 'database or model does not exist, or exists already',
    },
    {
      keys: ['P1012', 'P1013', 'P1015', 'P1016'],
      outcome: 'ignored',
      meaning: 'schema, connection string or arguments are wrong',
    },
    { keys: ['P1xxx'], outcome: 'failure', meaning: 'no connection, or not in time' },
    {
      keys: ['P2024', 'P2037'],
      outcome: 'failure',
      meaning: 'no free connection in the pool or the database',
    },
    {
      keys: ['P2028'],
      outcome: 'failure',
      meaning: 'transaction API: not started or ended in time',
    },
    { keys: ['P2034'], outcome: 'failure', meaning: 'write conflict or deadlock' },
    {
      keys: ['P2010', 'P2027', 'P2035', 'P2036'],
      outcome: 'failure',
      meaning:
        'errors of the database, the engine or a connector; for raw queries, the SQLSTATE takes precedence',
    },
    {
      keys: ['P2xxx'],
      outcome: 'success',
      meaning: 'constraints, values, missing records and tables',
    },
    { keys: ['P3xxx', 'P4xxx'], outcome: 'success', meaning: 'migration, introspection' },
    {
      keys: [
        'P5000',
        'P5002',
        'P5003',
        'P5004',
        'P5007',
        'P6001',
        'P6002',
        'P6005',
        'P6006',
        'P6009',
        'P6010',
      ],
      outcome: 'success',
      meaning: 'Accelerate, Data Proxy: wrong, unauthorized or too large',
    },
    {
      keys: ['P5xxx', 'P6xxx'],
      outcome: 'failure',
      meaning: 'Accelerate, Data Proxy: anything else',
    },
    {
      keys: [
        'PrismaClientInitializationError',
        'PrismaClientUnknownRequestError',
        'PrismaClientRustPanicError',
      ],
      outcome: 'failure',
      meaning: 'no code',
    },
  ],
};
