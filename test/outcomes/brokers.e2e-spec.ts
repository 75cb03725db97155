import { createServer } from 'node:net';
import amqp from 'amqplib';
import { Redis } from 'ioredis';
import * as kafkajs from 'kafkajs';
import { createClient } from 'redis';
import { defaultOutcome } from '../../src/common/outcomes/default-outcome.js';
import { closeServers, closedPort, errorOf, everyKeyOf, inside, listen } from './support.js';

describe('the outcome of a reply of Redis', () => {
  let port = 0;
  let reply = '';

  beforeAll(async () => {
    // Answers each command with a refusal.
    port = await listen(
      createServer((socket) =>
        socket.on('data', (data) => {
          const commands = data.toString().match(/^\*\d+\r$/gm) ?? [];
          socket.write(reply.repeat(commands.length));
        }),
      ),
    );
  });

  afterAll(closeServers);

  const ofIoredis = async (): Promise<unknown> => {
    const client = new Redis({ port, enableReadyCheck: false, lazyConnect: true });
    client.on('error', () => {});
    try {
      return await errorOf(() => client.call('GET', 'key'));
    } finally {
      client.disconnect();
    }
  };

  const ofNodeRedis = async (): Promise<unknown> => {
    const client = createClient({ socket: { port, reconnectStrategy: false } });
    client.on('error', () => {});
    return errorOf(async () => {
      await client.connect();
      await client.get('key');
    });
  };

  it.each(everyKeyOf('Redis'))('%s is a %s: %s', async (key, outcome) => {
    reply = `-${key} and some words\r\n`;
    const error = await ofIoredis();
    expect(error).toMatchObject({ name: 'ReplyError' });
    expect(defaultOutcome(error)).toBe(outcome);
    const { ErrorReply } = require('redis') as { ErrorReply: new (message: string) => Error };
    expect(defaultOutcome(new ErrorReply(reply.slice(1).trim()))).toBe(outcome);
  });

  it('is recognized in errors of node-redis', async () => {
    reply = '-NOAUTH Authentication required.\r\n';
    const error = await ofNodeRedis();
    expect((error as Error).message).toContain('NOAUTH');
    expect(defaultOutcome(error)).toBe('success');
  });

  it('of an unknown kind is a failure', async () => {
    reply = '-STRANGE thing\r\n';
    expect(defaultOutcome(await ofIoredis())).toBe('failure');
  });

  it('that never arrives is a failure', async () => {
    const dead = await closedPort();
    const one = new Redis({ port: dead, maxRetriesPerRequest: 0, retryStrategy: () => null });
    one.on('error', () => {});
    expect(defaultOutcome(await errorOf(() => one.get('key')))).toBe('failure');
    one.disconnect();
    const two = createClient({ socket: { port: dead, reconnectStrategy: false } });
    two.on('error', () => {});
    expect(defaultOutcome(await errorOf(() => two.connect()))).toBe('failure');
  });
});

describe('the outcome of an error of kafkajs', () => {
  const { errorCodes, createErrorFromCode } = inside('kafkajs', 'src/protocol/error.js') as {
    errorCodes: readonly {
      readonly type: string;
      readonly code: number;
      readonly retriable: boolean;
    }[];
    createErrorFromCode(code: number): Error;
  };
  const classes = kafkajs as unknown as Record<string, new (...args: unknown[]) => Error>;
  const keys = everyKeyOf('kafkajs');
  const rows = new Map(keys.map(([key, outcome]) => [key, outcome]));

  const wrapped = (error: Error): readonly Error[] => [
    error,
    new classes.KafkaJSNonRetriableError!(error, { cause: error }),
    new classes.KafkaJSNumberOfRetriesExceeded!(error, {
      retryCount: 5,
      retryTime: 100,
      cause: error,
    }),
  ];

  it.each(errorCodes.map(({ type, code, retriable }) => ({ type, code, retriable })))(
    '$type has the outcome of its row, or by retriable, even inside other errors',
    ({ type, code, retriable }) => {
      const outcome = rows.get(type) ?? 'failure';
      if (retriable) expect(outcome).toBe('failure');
      for (const error of wrapped(createErrorFromCode(code))) {
        expect(defaultOutcome(error)).toBe(outcome);
      }
    },
  );

  it('has rows for existing errors only', () => {
    const known = new Set([
      ...errorCodes.map(({ type }) => type),
      ...Object.keys(classes),
      'retriable',
    ]);
    expect(keys.filter(([key]) => !known.has(String(key)))).toEqual([]);
  });

  it.each(keys.filter(([key]) => String(key).startsWith('KafkaJS')))(
    '%s is %s: %s',
    (key, outcome) => {
      const error = new classes[key]!('x', {});
      expect(error.name).toBe(key);
      expect(defaultOutcome(error)).toBe(outcome);
    },
  );

  it('of a connection is a failure', () => {
    for (const name of ['KafkaJSConnectionError', 'KafkaJSRequestTimeoutError', 'KafkaJSTimeout']) {
      for (const error of wrapped(new classes[name]!('x', {}))) {
        expect(defaultOutcome(error)).toBe('failure');
      }
    }
  });

  it('for a wrong argument is ignored', async () => {
    const kafka = new kafkajs.Kafka({
      brokers: ['127.0.0.1:1'],
      logLevel: kafkajs.logLevel.NOTHING,
    });
    const error = await errorOf(() => kafka.admin().fetchTopicOffsets(''));
    expect(defaultOutcome(error)).toBe('ignored');
  });

  it('that cannot connect is a failure', async () => {
    const kafka = new kafkajs.Kafka({
      brokers: [`127.0.0.1:${await closedPort()}`],
      logLevel: kafkajs.logLevel.NOTHING,
      retry: { retries: 0 },
    });
    expect(defaultOutcome(await errorOf(() => kafka.admin().connect()))).toBe('failure');
  });
});

describe('the outcome of an error of amqplib', () => {
  const defs = inside('amqplib', 'lib/defs.js') as { ChannelClose: number };
  const { Channel } = inside('amqplib', 'lib/channel.js') as {
    Channel: new (connection: unknown) => NodeJS.EventEmitter & { accept(frame: unknown): void };
  };

  /** The error of a channel that the broker closes. */
  function closedWith(replyCode: number): unknown {
    const connection = { sendMethod: () => {}, releaseChannel: () => {}, freshChannel: () => 1 };
    const channel = new Channel(connection);
    let told: unknown;
    channel.on('error', (error) => (told = error));
    const fields = { replyCode, replyText: 'x', classId: 60, methodId: 40 };
    channel.accept({ id: defs.ChannelClose, channel: 1, fields });
    return told;
  }

  it.each(everyKeyOf('AMQP'))('%s is a %s: %s', (key, outcome) => {
    const error = closedWith(Number(key));
    expect(error).toMatchObject({ code: key, classId: 60 });
    expect(defaultOutcome(error)).toBe(outcome);
  });

  it('that closes the connection is recognized by its message', () => {
    const message = 'Connection closed: 320 (CONNECTION-FORCED) with message "shutdown"';
    expect(defaultOutcome(Object.assign(new Error(message), { code: 320 }))).toBe('failure');
    const refused = 'Connection closed: 403 (ACCESS-REFUSED) with message "x"';
    expect(defaultOutcome(Object.assign(new Error(refused), { code: 403 }))).toBe('success');
  });

  it('is not taken from a code alone', () => {
    expect(defaultOutcome(Object.assign(new Error('x'), { code: 404 }))).toBe('failure');
  });

  it('that cannot connect is a failure', async () => {
    const url = `amqp://127.0.0.1:${await closedPort()}`;
    expect(defaultOutcome(await errorOf(() => amqp.connect(url)))).toBe('failure');
  });
});
