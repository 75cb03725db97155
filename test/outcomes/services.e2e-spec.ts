import 'reflect-metadata';
import { createServer } from 'node:http';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import * as grpc from '@grpc/grpc-js';
import { IsInt, validateOrReject } from 'class-validator';
import { z } from 'zod';
import { defaultOutcome } from '../../src/common/outcomes/default-outcome.js';
import { retryAfterOf } from '../../src/common/outcomes/retry-after.js';
import { isFailure } from '../../src/index.js';
import { closeServers, closedPort, errorOf, everyKeyOf, listen } from './support.js';

const bytes = (value: Buffer): Buffer => value;
const method = {
  path: '/books.Books/Get',
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
} as const;
const Books = grpc.makeGenericClientConstructor({ get: method }, 'Books');

describe('the outcome of a gRPC status', () => {
  const server = new grpc.Server();
  const insecure = grpc.credentials.createInsecure();
  let client: grpc.Client;

  /** Ends with the status that it is asked for. */
  const get: grpc.handleUnaryCall<Buffer, Buffer> = ({ request }, callback) => {
    const trailers = new grpc.Metadata();
    trailers.set('grpc-retry-pushback-ms', '250');
    callback({ code: request[0]!, details: 'x', metadata: trailers });
  };

  const asked = (of: grpc.Client, code: number): Promise<unknown> =>
    new Promise((resolve) => {
      const { path } = method;
      of.makeUnaryRequest(path, bytes, bytes, Buffer.from([code]), (error) => resolve(error));
    });

  beforeAll(async () => {
    server.addService({ get: method }, { get });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    client = new Books(`127.0.0.1:${port}`, insecure);
  });

  afterAll(() => {
    client.close();
    server.forceShutdown();
  });

  it.each(everyKeyOf('gRPC'))('%p is a %s: %s', async (key, outcome, meaning) => {
    const error = await asked(client, Number(key));
    expect(error).toMatchObject({ code: key });
    expect(meaning).toContain(grpc.status[Number(key)]);
    expect(defaultOutcome(error)).toBe(outcome);
  });

  it('has a row for each of them except OK', () => {
    const codes = Object.values(grpc.status).filter((code) => typeof code === 'number');
    expect(everyKeyOf('gRPC').map(([key]) => key)).toEqual(codes.filter(Boolean));
  });

  it('is not taken from a code alone', () => {
    expect(defaultOutcome(Object.assign(new Error('x'), { code: 5 }))).toBe('failure');
  });

  it('has the time to wait', async () => {
    expect(retryAfterOf(await asked(client, 14), Date.now())).toBe(250);
  });

  it('of an absent server is a failure', async () => {
    const lonely = new Books(`127.0.0.1:${await closedPort()}`, insecure);
    const error = await asked(lonely, 0);
    lonely.close();
    expect(defaultOutcome(error)).toBe('failure');
  });
});

describe('the outcome of an error of the AWS SDK', () => {
  let status = 400;
  let type = '';
  let endpoint = '';
  const options = {
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  };

  beforeAll(async () => {
    const server = createServer((_request, response) => {
      const headers = { 'content-type': 'application/x-amz-json-1.0', 'retry-after': '3' };
      response
        .writeHead(status, headers)
        .end(JSON.stringify({ __type: `x#${type}`, message: 'x' }));
    });
    endpoint = `http://127.0.0.1:${await listen(server)}`;
  });

  afterAll(closeServers);

  async function answered(withStatus: number, withType: string): Promise<unknown> {
    status = withStatus;
    type = withType;
    const client = new DynamoDBClient({ ...options, endpoint });
    try {
      return await errorOf(() => client.send(new ListTablesCommand({})));
    } finally {
      client.destroy();
    }
  }

  it.each(everyKeyOf('AWS SDK').filter(([key]) => !String(key).startsWith('$')))(
    '%s is a %s, though its status is 400',
    async (key, outcome) => {
      const error = await answered(400, String(key));
      expect(error).toMatchObject({ name: key, $metadata: { httpStatusCode: 400 } });
      expect(defaultOutcome(error)).toBe(outcome);
    },
  );

  it('that is marked as throttling is a failure', () => {
    const $metadata = { httpStatusCode: 400 };
    const error = Object.assign(new Error('x'), { $metadata, $retryable: { throttling: true } });
    expect(defaultOutcome(error)).toBe('failure');
    expect(defaultOutcome({ ...error, $retryable: {} })).toBe('success');
  });

  it('of SDK v2 follows its code', () => {
    const v2 = { code: 'ThrottlingException', statusCode: 400, retryable: true, requestId: 'x' };
    expect(defaultOutcome(Object.assign(new Error('x'), v2))).toBe('failure');
  });

  it('follows its status otherwise', async () => {
    expect(defaultOutcome(await answered(400, 'ConditionalCheckFailedException'))).toBe('success');
    expect(defaultOutcome(await answered(400, 'ValidationException'))).toBe('success');
    expect(defaultOutcome(await answered(500, 'InternalServerError'))).toBe('failure');
  });

  it('carries Retry-After', async () => {
    expect(retryAfterOf(await answered(500, 'InternalServerError'), Date.now())).toBe(3_000);
  });

  it('that cannot connect is a failure', async () => {
    const dead = `http://127.0.0.1:${await closedPort()}`;
    const client = new DynamoDBClient({ ...options, endpoint: dead });
    expect(isFailure(await errorOf(() => client.send(new ListTablesCommand({}))))).toBe(true);
    client.destroy();
  });
});

describe('the outcome of a validation error', () => {
  it.each(everyKeyOf('Validation'))('that is called %s is %s', (name, outcome) => {
    expect(defaultOutcome(Object.assign(new Error('x'), { name }))).toBe(outcome);
  });

  it('of zod is ignored', async () => {
    for (const parse of [() => z.string().parse(1), () => z.string().parseAsync(1)]) {
      expect(defaultOutcome(await errorOf(parse))).toBe('ignored');
    }
  });

  it('of class-validator is ignored: a list, and each of its items', async () => {
    class Page {
      @IsInt()
      size: unknown = 'x';
    }
    const errors = (await errorOf(() => validateOrReject(new Page()))) as unknown[];
    expect(defaultOutcome(errors)).toBe('ignored');
    expect(defaultOutcome(errors[0])).toBe('ignored');
  });
});
