import { type ServerResponse, createServer } from 'node:http';
import { CircuitOpenError, isFailure } from '../../src/index.js';
import { closeServers, errorOf, listen } from '../outcomes/support.js';
import { type Booted, boot, closeAll } from '../support/boot.js';
import { until } from '../support/wait.js';
import { Assistant } from './llm.js';

type Answer = (response: ServerResponse) => void;

const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
const token = (content: string): string =>
  event({ id: '1', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] });

const stream =
  (tokens: readonly string[], end: (response: ServerResponse) => void): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(token('')); // as the API begins: who speaks, and no text
    response.write(tokens.map(token).join(''), () => end(response));
  };
const whole = stream(['Hello', ' world'], (response) => response.end('data: [DONE]\n\n'));
const broken = stream(['Hello'], (response) => response.socket!.destroy());
const paused = stream(['Hello'], () => {});
const busy: Answer = (response) => {
  response.writeHead(429, { 'retry-after': '7', 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message: 'slow down', type: 'rate_limit_exceeded' } }));
};
const refused: Answer = (response) => {
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message: 'too long' } }));
};

describe('the recipe for streams of a model', () => {
  let booted: Booted;
  let assistant: Assistant;
  let answers: Answer[];
  let asked: number;
  let closed: number;

  beforeAll(async () => {
    const server = createServer((request, response) => {
      asked += 1;
      response.on('close', () => (closed += 1));
      request
        .resume()
        .on('end', () => (answers.length > 1 ? answers.shift()! : answers[0]!)(response));
    });
    process.env.OPENAI_API_KEY = 'key';
    process.env.OPENAI_BASE_URL = `http://127.0.0.1:${await listen(server)}/v1`;
  });

  beforeEach(async () => {
    asked = closed = 0;
    booted = await boot({ providers: [Assistant] });
    assistant = booted.app.get(Assistant);
  });

  afterEach(closeAll);

  afterAll(async () => {
    delete process.env.OPENAI_API_KEY;
    delete process.env.OPENAI_BASE_URL;
    await closeServers();
  });

  const read = async (answer: AsyncIterable<string>): Promise<string[]> => {
    const tokens: string[] = [];
    for await (const text of answer) tokens.push(text);
    return tokens;
  };

  it('passes tokens on as they come', async () => {
    answers = [whole];
    expect(await read(assistant.answer('hi'))).toEqual(['Hello', ' world']);
    expect(booted.registry.get('openai').counts).toMatchObject({ successes: 1, failures: 0 });
  });

  it('waits for the Retry-After of a 429', async () => {
    answers = [busy, whole];
    const tokens = read(assistant.answer('hi'));
    await until(() => booted.registry.get('openai').counts.failures === 1);
    await booted.clock.advance(6_999);
    expect(asked).toBe(1);
    await booted.clock.advance(1);
    expect(await tokens).toEqual(['Hello', ' world']);
    expect(asked).toBe(2);
  });

  it('sends no token twice when the stream breaks, which is one failure more', async () => {
    answers = [broken];
    const tokens: string[] = [];
    const error = await errorOf(async () => {
      for await (const text of assistant.answer('hi')) tokens.push(text);
    });
    expect(isFailure(error)).toBe(true);
    expect(tokens).toEqual(['Hello']);
    expect(asked).toBe(1);
    expect(booted.registry.get('openai').counts).toMatchObject({ successes: 1, failures: 1 });
  });

  it('does not repeat a request that the API refuses', async () => {
    answers = [refused];
    await expect(read(assistant.answer('hi'))).rejects.toMatchObject({ status: 400 });
    expect(asked).toBe(1);
    expect(booted.registry.get('openai').counts.failures).toBe(0);
  });

  it('sends no request while the circuit is open', async () => {
    booted.registry.get('openai').forceOpen();
    await expect(read(assistant.answer('hi'))).rejects.toBeInstanceOf(CircuitOpenError);
    expect(asked).toBe(0);
  });

  it('ends the request when the reader stops', async () => {
    answers = [paused];
    for await (const text of assistant.answer('hi')) {
      expect(text).toBe('Hello');
      break;
    }
    await until(() => closed === 1);
    expect(booted.registry.get('openai').counts.failures).toBe(0);
  });

  it('ends the request at the caller’s signal', async () => {
    answers = [paused];
    const stop = new AbortController();
    const tokens = assistant.answer('hi', stop.signal);
    await tokens.next();
    stop.abort();
    await until(() => closed === 1);
    await tokens.next().catch(() => {});
    expect(booted.registry.get('openai').counts.failures).toBe(0);
  });
});
