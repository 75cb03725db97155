import { look, lookAtItems, lookByCall, lookForInteger, lookForText } from '../look.js';
import type { ErrorKey, OutcomeTable } from '../table.js';

const LABELS = [
  'RetryableWriteError',
  'TransientTransactionError',
  'RetryableError',
  'SystemOverloadedError',
];

function keysOf(error: unknown): readonly ErrorKey[] {
  const name = lookForText(error, 'name');
  if (!name?.startsWith('Mongo') || name.startsWith('Mongoose')) return [];
  const labels = LABELS.filter((label) => hasLabel(error, label));
  const code = lookForInteger(error, 'code') ?? lookForInteger(look(error, 'result'), 'code');
  return code === undefined ? [...labels, name] : [...labels, code, name];
}

function hasLabel(error: unknown, label: string): boolean {
  if (lookByCall(error, 'hasErrorLabel', label) === true) return true;
  return lookAtItems(look(error, 'errorLabels'), 10).includes(label);
}

export const mongodb: OutcomeTable = {
  client: 'MongoDB',
  recognized: '`Mongo…Error`: by `errorLabels`, then `code`, then name',
  source: 'https://www.mongodb.com/docs/manual/reference/error-codes/',
  keysOf,
  rows: [
    {
      keys: [
        'RetryableWriteError',
        'TransientTransactionError',
        'RetryableError',
        'SystemOverloadedError',
      ],
      outcome: 'failure',
      meaning: 'labelled as transient',
    },
    {
      keys: [11000, 11001, 121],
      outcome: 'success',
      meaning: 'duplicate key, document validation',
    },
    { keys: [13, 18], outcome: 'success', meaning: 'unauthorized, authentication failed' },
    {
      keys: [2, 4, 9, 14, 15, 16, 20, 28, 40, 52, 53, 54, 55, 56, 57, 59, 66, 67, 72, 73, 10334],
      outcome: 'success',
      meaning: 'bad value, type, field, operator, size, namespace or command',
    },
    {
      keys: [26, 27, 48, 68, 85, 86],
      outcome: 'success',
      meaning: 'namespace or index is missing, or exists already',
    },
    {
      keys: [
        'MongoInvalidArgumentError',
        'MongoMissingCredentialsError',
        'MongoMissingDependencyError',
        'MongoParseError',
        'MongoCompatibilityError',
        'MongoCursorExhaustedError',
        'MongoCursorInUseError',
        'MongoTailableCursorError',
        'MongoTransactionError',
        'MongoBatchReExecutionError',
      ],
      outcome: 'ignored',
      meaning: 'the driver is used wrongly',
    },
    {
      keys: [
        'MongoNetworkError',
        'MongoNetworkTimeoutError',
        'MongoOperationTimeoutError',
        'MongoServerSelectionError',
        'MongoPoolClearedError',
      ],
      outcome: 'failure',
      meaning: 'no connection, or not in time',
    },
    {
      keys: ['MongoServerError', 'MongoWriteConcernError'],
      outcome: 'failure',
      meaning: 'any other code: not primary, shutdown, time limits, write conflicts',
    },
  ],
};
