import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import {
  DynamoDB,
  DynamoDBClient,
  GetItemCommand,
  type GetItemCommandOutput,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import { CircuitOpenError, TimeoutError, isFailure, protectProvider } from '../../src/index.js';
import { systemClock } from '../../src/common/clock.js';
import { constant } from '../../src/index.js';
import { closeServers, closedPort, errorOf, listen } from '../outcomes/support.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { deferred, until } from '../support/wait.js';

const breaker = { circuitBreaker: { consecutiveFailures: 2, openFor: '5s' } } as const;
const get = (): GetItemCommand => new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } });

/** How the server answers, in this order; the last one from then on. */
type Answer = (response: ServerResponse, body: string) => void;

const json =
  (status: number, body: unknown): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(body));
  };
const found = json(200, { Item: { id: { S: '1' } } });
const broken = json(500, { __type: 'InternalServerError', message: 'broken' });
const throttled = json(400, { __type: 'ThrottlingException', message: 'slow down' });
const refused = json(400, { __type: 'ValidationException', message: 'no such key' });
const conditional = json(400, { __type: 'ConditionalCheckFailedException', message: 'taken' });
const hanging: Answer = () => {};

let answers: Answer[] = [];
let requests = 0;
let aborted = 0;

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  requests += 1;
  response.on('close', () => (aborted += response.writableFinished ? 0 : 1));
  let body = '';
  for await (const chunk of request) body += chunk;
  const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
  answer(response, body);
}

describe('a client of the AWS SDK under protect()', () => {
  let port: number;
  let client: DynamoDBClient;
  let booted: Booted;

  const options = () => ({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1, // the policies retry
  });

  beforeAll(async () => {
    port = await listen(createServer((request, response) => void respond(request, response)));
  });

  beforeEach(async () => {
    booted = await boot();
    client = new DynamoDBClient(options());
    answers = [found];
    requests = aborted = 0;
  });

  afterEach(async () => {
    client.destroy();
    await closeAll();
  });

  afterAll(closeServers);

  it('is still a client, with its configuration and its middleware', async () => {
    const p = booted.service.protect(client, { name: 'dynamo', methods: { send: breaker } });
    expect(p).toBeInstanceOf(DynamoDBClient);
    expect(p.config).toBe(client.config);
    expect(p.middlewareStack).toBe(client.middlewareStack);
    const seen = jest.fn();
    p.middlewareStack.add((next) => (args) => (seen(), next(args)), { step: 'build' });
    const output: GetItemCommandOutput = await p.send(get());
    expect(output.Item).toEqual({ id: { S: '1' } });
    expect(seen).toHaveBeenCalledTimes(1);
    expect(booted.registry.get('dynamo.send').counts.successes).toBe(1);
  });

  it('works for users of the client, such as a paginator', async () => {
    answers = [json(200, { Items: [{ n: { N: '1' } }], LastEvaluatedKey: { n: { N: '1' } } })];
    answers.push(json(200, { Items: [{ n: { N: '2' } }] }));
    const p = booted.service.protect(client, { name: 'dynamo', methods: { send: breaker } });
    const items: unknown[] = [];
    for await (const page of paginateScan({ client: p }, { TableName: 't' })) {
      items.push(...page.Items!);
    }
    expect(items).toEqual([{ n: { N: '1' } }, { n: { N: '2' } }]);
    expect(booted.registry.get('dynamo.send').counts.successes).toBe(2);
  });

  it.each([
    ['throttling, although its status is 400', throttled, 'failure'],
    ['an error of the server', broken, 'failure'],
    ['a refused request', refused, 'answer'],
    ['a failed condition', conditional, 'answer'],
  ])('judges %s', async (_, answer, outcome) => {
    answers = [answer];
    const p = booted.service.protect(client, { name: 'dynamo', methods: { send: breaker } });
    const error = await errorOf(() => p.send(get()));
    expect(isFailure(error)).toBe(outcome === 'failure');
    const counts = { failures: outcome === 'failure' ? 1 : 0, requests: 1 };
    expect(booted.registry.get('dynamo.send').counts).toMatchObject(counts);
  });

  it('sends a command again, unchanged', async () => {
    await closeAll();
    booted = await boot({ resilience: { clock: systemClock } });
    const p = booted.service.protect(client, {
      name: 'dynamo',
      methods: { send: { retry: { maxRetries: 3, backoff: constant(0) } } },
    });
    answers = [throttled, broken, found];
    expect((await p.send(get())).Item).toEqual({ id: { S: '1' } });
    expect(requests).toBe(3);
    answers = [refused];
    await expect(p.send(get())).rejects.toMatchObject({ name: 'ValidationException' });
    expect(requests).toBe(4);
  });

  it.each(['*', 'methods'])('calls a given callback, under %s', async (where) => {
    const policies = where === '*' ? { '*': breaker } : { methods: { send: breaker } };
    const p = booted.service.protect(client, { name: 'dynamo', ...policies });
    for (const args of [[], [{}]] as const) {
      const called = deferred<unknown>();
      const done = (error: unknown, output?: GetItemCommandOutput): void =>
        called.resolve(error ?? output?.Item);
      const given = args.length === 0 ? p.send(get(), done) : p.send(get(), args[0], done);
      expect(given).toBeUndefined();
      expect(await called.promise).toEqual({ id: { S: '1' } });
      for (const { name } of booted.registry.list()) booted.registry.get(name).forceOpen();
    }
    await p.send(get()).catch(() => {}); // the first one under * is sent
    await expect(p.send(get())).rejects.toBeInstanceOf(CircuitOpenError);
  });

  it('gives up in time, and at the caller’s abortSignal', async () => {
    const p = booted.service.protect(client, {
      name: 'dynamo',
      methods: { send: { timeout: '2s', ...breaker } },
    });
    answers = [hanging];
    const late = errorOf(() => p.send(get()));
    await until(() => requests === 1);
    await booted.clock.advance(2_000);
    expect(await late).toBeInstanceOf(TimeoutError);
    const stop = new AbortController();
    const stopped = errorOf(() => p.send(get(), { abortSignal: stop.signal }));
    await until(() => requests === 2);
    stop.abort();
    expect(await stopped).toMatchObject({ name: 'AbortError' });
    await until(() => aborted === 1);
    expect(booted.registry.get('dynamo.send').counts).toMatchObject({ failures: 1, ignored: 1 });
  });

  it('rejects calls while the server is gone, without sending, and recovers with it', async () => {
    const p = booted.service.protect(client, { name: 'dynamo', methods: { send: breaker } });
    const gone = new DynamoDBClient({
      ...options(),
      endpoint: `http://127.0.0.1:${await closedPort()}`,
    });
    const other = booted.service.protect(gone, { name: 'dynamo', methods: { send: breaker } });
    for (let failed = 0; failed < 2; failed++) {
      expect(isFailure(await errorOf(() => other.send(get())))).toBe(true);
    }
    gone.destroy();
    await expect(p.send(get())).rejects.toBeInstanceOf(CircuitOpenError);
    expect(requests).toBe(0);
    await booted.clock.advance(5_000);
    await p.send(get());
    expect(booted.registry.get('dynamo.send').state).toBe('closed');
  });

  it('with a method per command protects each under its name', async () => {
    const whole = new DynamoDB(options());
    const p = booted.service.protect(whole, {
      name: 'dynamo',
      methods: { getItem: breaker },
      '*': breaker,
    });
    await p.getItem({ TableName: 't', Key: { id: { S: '1' } } });
    expect(booted.registry.get('dynamo.getItem').counts.successes).toBe(1);
    expect(booted.registry.get('dynamo').counts.requests).toBe(0); // getItem() calls send() of the original
    await p.listTables({});
    expect(booted.registry.get('dynamo').counts.requests).toBe(1);
    booted.registry.get('dynamo').forceOpen();
    expect(p.destroy()).toBeUndefined();
  });

  it('is injected instead of the client by protectProvider()', async () => {
    await closeAll();
    booted = await boot({
      providers: [
        { provide: DynamoDBClient, useFactory: () => client },
        protectProvider(DynamoDBClient, { name: 'dynamo', methods: { send: breaker } }),
      ],
    });
    const injected = booted.app.get(DynamoDBClient);
    expect(injected).toBeInstanceOf(DynamoDBClient);
    await injected.send(get());
    expect(booted.registry.get('dynamo.send').counts.successes).toBe(1);
  });
});
