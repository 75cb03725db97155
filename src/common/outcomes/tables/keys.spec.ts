import { ResilienceError } from '../../errors.js';
import type { ErrorKey, OutcomeTable } from '../table.js';
import { amqp } from './amqp.js';
import { aws } from './aws.js';
import { grpc } from './grpc.js';
import { http } from './http.js';
import { javascript } from './javascript.js';
import { kafka } from './kafka.js';
import { mongodb } from './mongodb.js';
import { systemErrors } from './network.js';
import { own } from './own.js';
import { prisma } from './prisma.js';
import { redis } from './redis.js';
import { sql } from './sql.js';
import { validation } from './validation.js';

type Case = readonly [what: string, error: unknown, keys: readonly ErrorKey[]];

class Rejection extends ResilienceError {
  constructor(code: string) {
    super({ code, policy: 'p', policyName: 'n', status: 503, title: 't', message: 'm' });
  }
}

const withoutCode = new Rejection('X');
Object.defineProperty(withoutCode, 'code', { value: 7 });

/** Errors of kafkajs around each other, the outermost first. */
const wrapped = (...names: string[]): unknown =>
  names.reduceRight<unknown>((cause, name) => ({ name, cause }), undefined);

class ErrorReply extends Error {}
class IsNotEmpty {}

const cases: [OutcomeTable, readonly Case[]][] = [
  [
    own,
    [
      ['a timeout', new Rejection('TIMEOUT'), ['TIMEOUT', 'any other']],
      ['a rejection whose code is not a text', withoutCode, ['', 'any other']],
      ['an error with the same code', { code: 'TIMEOUT' }, []],
    ],
  ],
  [
    aws,
    [
      ...['$metadata', '$fault', '$retryable', 'requestId', 'retryable', 'statusCode'].map(
        (mark): Case => [`a name beside ${mark}`, { name: 'SlowDown', [mark]: '' }, ['SlowDown']],
      ),
      ['a name by itself', { name: 'SlowDown' }, []],
      ['a name that no row has', { name: 'NoSuchKey', $metadata: {} }, []],
      ['a code', { name: 'Error', code: 'Throttling', requestId: 'x' }, ['Throttling']],
      ['a code without a name', { code: 'Throttling', requestId: 'x' }, ['Throttling']],
      [
        'a name and a code',
        { name: 'TimeoutError', code: 'Throttling', requestId: 'x' },
        ['TimeoutError'],
      ],
      [
        'a mark of throttling',
        { name: 'NoSuchKey', $retryable: { throttling: true } },
        ['$retryable.throttling'],
      ],
      [
        'a mark of something else',
        { name: 'SlowDown', $retryable: { throttling: 'no' } },
        ['SlowDown'],
      ],
      ['nothing known', { $retryable: {}, statusCode: 500 }, []],
    ],
  ],
  [
    http,
    [
      ['the first status of its class', { status: 400 }, [400, '4xx']],
      ['the last status of its class', { status: 499 }, [499, '4xx']],
      ['no status', {}, []],
    ],
  ],
  [
    grpc,
    [
      ['a code beside details', { code: 5, details: '' }, [5]],
      ['a code beside metadata', { code: 5, metadata: {} }, [5]],
      ['a code by itself', { code: 5 }, []],
      ['a code beside invalid details', { code: 5, details: 5 }, []],
      ['a code beside no metadata', { code: 5, metadata: null }, []],
      ['a code beside invalid metadata', { code: 5, metadata: 'x' }, []],
      ['a code that is not a number', { code: '5', details: '', metadata: {} }, []],
    ],
  ],
  [
    sql,
    [
      [
        'a state beside a severity',
        { code: '23505', severity: 'ERROR' },
        ['23505', '23505', '23xxx'],
      ],
      ['a code by itself', { code: '23505' }, []],
      ['a state of MySQL', { code: 'ER_X', sqlState: '42S02' }, ['ER_X', '42S02', '42xxx']],
      ['a state in another spelling', { sqlstate: '42S02' }, ['42S02', '42xxx']],
      ['two states', { sqlState: '42S02', sqlstate: '23000' }, ['42S02', '42xxx']],
      ['text longer than a state', { sqlState: '42S021' }, []],
      ['text that ends with a state', { sqlState: 'x42S02' }, []],
      ['text shorter than a state', { sqlState: '42S0' }, []],
      ['a severity without a state', { severity: 'ERROR', sqlState: '42S02' }, []],
      ...['driverError', 'original', 'parent'].map((key): Case => [
        `a state in ${key}`,
        { code: 'X', [key]: { code: 'ER_X', sqlState: '42S02' } },
        ['ER_X', '42S02', '42xxx'],
      ]),
      [
        'a state behind an error without one',
        { driverError: { code: 'X' }, original: null, parent: { sqlState: '42S02' } },
        ['42S02', '42xxx'],
      ],
      [
        'a state before that of another error',
        { sqlState: '42S02', original: { sqlState: '23000' } },
        ['42S02', '42xxx'],
      ],
      [
        'a state in the cause of a query',
        { query: 'select', cause: { sqlState: '42S02' } },
        ['42S02', '42xxx'],
      ],
      ['a state in any other cause', { cause: { sqlState: '42S02' } }, []],
      [
        'a state of a raw query of Prisma',
        { code: 'P2010', meta: { code: '42P01' } },
        ['P2010', '42P01', '42xxx'],
      ],
      ['a raw query without a state', { code: 'P2010' }, []],
      ['a raw query with another code', { code: 'P2010', meta: { code: '1146' } }, []],
      ['another code of Prisma', { code: 'P2011', meta: { code: '42P01' } }, []],
    ],
  ],
  [
    prisma,
    [
      ['a code', { name: 'PrismaClientKnownRequestError', code: 'P2024' }, ['P2024', 'P2xxx']],
      [
        'a code at the start',
        { name: 'PrismaClientInitializationError', errorCode: 'P1001' },
        ['P1001', 'P1xxx'],
      ],
      [
        'two codes',
        { name: 'PrismaClientKnownRequestError', code: 'P2024', errorCode: 'P1001' },
        ['P2024', 'P2xxx'],
      ],
      ['a name', { name: 'PrismaClientRustPanicError' }, ['PrismaClientRustPanicError']],
      ['a version without a name', { clientVersion: '6', code: 'P2024' }, ['P2024', 'P2xxx']],
      ['a version with nothing else', { clientVersion: '6' }, ['']],
      ['a code by itself', { code: 'P2024' }, []],
      ['a code of another library', { name: 'OfPrismaClient', code: 'P2024' }, []],
      ...['XP2024', 'P20240', 'P202', 'PABCD'].map((code): Case => [
        `an invalid code: ${code}`,
        { name: 'PrismaClientError', code },
        ['PrismaClientError'],
      ]),
    ],
  ],
  [
    mongodb,
    [
      ['a code', { name: 'MongoServerError', code: 11000 }, [11000, 'MongoServerError']],
      ['a name', { name: 'MongoParseError' }, ['MongoParseError']],
      [
        'a code in a result',
        { name: 'MongoWriteConcernError', result: { code: 64 } },
        [64, 'MongoWriteConcernError'],
      ],
      [
        'a code beside a result',
        { name: 'MongoServerError', code: 1, result: { code: 64 } },
        [1, 'MongoServerError'],
      ],
      ['a code by itself', { code: 11000 }, []],
      ['an error of Mongoose', { name: 'MongooseError', code: 11000 }, []],
      ['a name that is only alike', { name: 'NotMongo', code: 11000 }, []],
      ...[
        'RetryableWriteError',
        'TransientTransactionError',
        'RetryableError',
        'SystemOverloadedError',
      ].flatMap((label): Case[] => [
        [
          `the label ${label}`,
          { name: 'MongoServerError', code: 1, errorLabels: ['X', label] },
          [label, 1, 'MongoServerError'],
        ],
        [
          `the label ${label} without a code`,
          { name: 'MongoServerError', hasErrorLabel: (asked: string) => asked === label },
          [label, 'MongoServerError'],
        ],
      ]),
      [
        'a method that does not return true',
        { name: 'MongoServerError', hasErrorLabel: () => 'no' },
        ['MongoServerError'],
      ],
    ],
  ],
  [
    redis,
    [
      ['a reply', { name: 'ReplyError', message: 'BUSY x' }, ['BUSY']],
      ...['ErrorReply', 'SimpleError', 'BlobError'].map((name): Case => [
        `a reply called ${name}`,
        { name, message: 'BUSY x' },
        ['BUSY'],
      ]),
      ['a reply of a class', new ErrorReply('BUSY x'), ['BUSY']],
      ['a message by itself', { message: 'BUSY x' }, []],
      ['a reply of one word', { name: 'ReplyError', message: 'BUSY' }, ['BUSY']],
      ['a word that is longer', { name: 'ReplyError', message: 'BUSYx' }, ['']],
      ['a word that is not the first', { name: 'ReplyError', message: '- BUSY' }, ['']],
      ['no message', { name: 'ReplyError' }, ['']],
      [
        'too many clients',
        { name: 'ReplyError', message: 'ERR max number of clients reached, sorry' },
        ['ERR max number of clients reached', 'ERR'],
      ],
      [
        'too many clients, as another error',
        { name: 'ReplyError', message: 'ERR ERR max number of clients reached' },
        ['ERR'],
      ],
    ],
  ],
  [
    kafka,
    [
      ['a type', { name: 'KafkaJSProtocolError', type: 'X' }, ['X', 'KafkaJSProtocolError']],
      ['a name', { name: 'KafkaJSError' }, ['KafkaJSError']],
      ['a type by itself', { type: 'X', retriable: true }, []],
      ['a name that is only alike', { name: 'NotKafkaJS', type: 'X' }, []],
      [
        'a retriable error',
        { name: 'KafkaJSError', retriable: true },
        ['KafkaJSError', 'retriable'],
      ],
      [
        'an error that is not marked as retriable',
        { name: 'KafkaJSError', retriable: 1 },
        ['KafkaJSError'],
      ],
      [
        'an error in another',
        {
          name: 'KafkaJSNonRetriableError',
          type: 'Y',
          retriable: true,
          cause: { name: 'KafkaJSProtocolError', type: 'X' },
        },
        ['X', 'KafkaJSProtocolError'],
      ],
      [
        'four errors around another',
        wrapped('KafkaJS4', 'KafkaJS3', 'KafkaJS2', 'KafkaJS1', 'KafkaJS0'),
        ['KafkaJS0'],
      ],
      [
        'five errors around another',
        wrapped('KafkaJS5', 'KafkaJS4', 'KafkaJS3', 'KafkaJS2', 'KafkaJS1', 'KafkaJS0'),
        ['KafkaJS1'],
      ],
      ['a wrong argument', { name: 'KafkaJSNonRetriableError' }, ['KafkaJSNonRetriableError']],
      [
        'an unknown error that is not tried again',
        { name: 'KafkaJSNonRetriableError', type: 'X', cause: new Error('x') },
        ['X'],
      ],
    ],
  ],
  [
    amqp,
    [
      ['a code beside its class', { code: 404, classId: 60 }, [404]],
      ['a code in its message', { code: 404, message: 'closed: 404 (NOT-FOUND) x' }, [404]],
      ['a message of another code', { code: 405, message: 'closed: 404 (NOT-FOUND)' }, []],
      ['a message with more digits', { code: 404, message: 'closed: 1404 (NOT-FOUND)' }, []],
      ['a message with something else', { code: 404, message: 'closed: 404 (not found)' }, []],
      ['a class without a code', { classId: 60, message: '404 (NOT-FOUND)' }, []],
      ['an invalid class', { code: 404, classId: '60' }, []],
      ['a code by itself', { code: 404 }, []],
    ],
  ],
  [
    validation,
    [
      ['a name', { name: 'ZodError' }, ['ZodError', 'Object']],
      ['a class', new IsNotEmpty(), ['IsNotEmpty']],
      ['a list', [new IsNotEmpty(), { name: 'X' }], ['IsNotEmpty']],
      ['no name at all', Object.create(null), []],
    ],
  ],
  [
    systemErrors,
    [
      ['a code', { code: 'ECONNRESET' }, ['ECONNRESET']],
      ...['ERR_SSL_', 'HPE_', 'UND_ERR_SOCKS5'].flatMap((family): Case[] => [
        [`a code of ${family}`, { code: `${family}X` }, [`${family}X`, `${family}…`]],
        [`a code with ${family} inside`, { code: `X${family}` }, [`X${family}`]],
      ]),
      ['a parser’s error', { name: 'HTTPParserError' }, ['HPE_…']],
      [
        'a parser’s error with a code',
        { name: 'HTTPParserError', code: 'HPE_X' },
        ['HPE_X', 'HPE_…'],
      ],
      ['a name', { name: 'Error' }, []],
      ['a code that is not a text', { code: 7 }, []],
    ],
  ],
  [
    javascript,
    [
      ['a wrong reference', new ReferenceError('x'), ['ReferenceError']],
      ['a wrong type', new TypeError('x'), ['TypeError']],
      [
        'a failed fetch',
        new TypeError('x', { cause: { code: 'ECONNRESET' } }),
        ['TypeError because of the network'],
      ],
      ['another error', new RangeError('x', { cause: { code: 'ECONNRESET' } }), []],
    ],
  ],
];

describe.each(cases.map(([table, list]) => ({ client: table.client, table, list })))(
  'an error of $client is known by',
  ({ table, list }) => {
    it.each(list)('%s', (_what, error, keys) => {
      expect(table.keysOf(error)).toStrictEqual(keys);
    });
  },
);
