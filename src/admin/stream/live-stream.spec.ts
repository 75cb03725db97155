import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { until } from '../../../test/support/wait.js';
import { type LiveSource, LiveStream } from './live-stream.js';

/** A response that takes so many bytes before it has to drain. */
class Response extends EventEmitter {
  text = '';
  destroyed = false;
  writableEnded = false;
  readonly socket = {};
  readonly headersSent = false;
  private held = 0;

  constructor(private readonly room = Infinity) {
    super();
  }

  writeHead(): this {
    return this;
  }

  write(chunk: string | Uint8Array): boolean {
    this.text += Buffer.from(chunk).toString();
    this.held += chunk.length;
    return this.held < this.room;
  }

  drain(): void {
    this.held = 0;
    this.emit('drain');
  }

  end(): void {
    this.writableEnded = true;
    this.emit('close');
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

const streams: LiveStream[] = [];
afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});

const streamOf = (source: Partial<LiveSource> = {}, complaints: unknown[] = []): LiveStream => {
  const whole: LiveSource = {
    delta: async () => undefined,
    nothing: () => '{}',
    snapshot: () => '{"all":1}',
    ...source,
  };
  const options = { interval: 2, maxConnections: 3 };
  const stream = new LiveStream(
    options,
    whole,
    () => [],
    'abc',
    (error) => complaints.push(error),
  );
  streams.push(stream);
  return stream;
};

const connect = (stream: LiveStream, room?: number, id?: string): Response => {
  const response = new Response(room);
  stream.serve('GET', response as unknown as ServerResponse, id);
  return response;
};

describe('a live stream', () => {
  it('makes each delta once for all clients', async () => {
    let made = 0;
    const stream = streamOf({ delta: async () => `{"delta":${(made += 1)}}` });
    const clients = [connect(stream), connect(stream), connect(stream)];
    await until(() => clients.every(({ text }) => text.includes('"delta":9')));
    for (const { text } of clients) {
      const numbers = [...text.matchAll(/"delta":(\d+)/g)].map(([, number]) => Number(number));
      expect(numbers).toEqual(numbers.map((_, at) => numbers[0]! + at));
    }
  });

  it('writes no more to a client that does not read, and catches up when it does', async () => {
    let made = 0;
    const stream = streamOf({ delta: async () => `{"delta":${(made += 1)}}` });
    const stuck = connect(stream, 1);
    const reads = connect(stream);
    await until(() => reads.text.includes('"delta":20'));
    expect(stuck.text).not.toContain('delta');
    while (!stuck.text.includes('"delta":20')) stuck.drain();
    expect(stuck.text.match(/"all"/g)).toHaveLength(1);
    const numbers = [...stuck.text.matchAll(/"delta":(\d+)/g)].map(([, number]) => Number(number));
    expect(numbers).toEqual(numbers.map((_, at) => numbers[0]! + at));
  });

  it('drops a client for whom messages that it needs are gone', async () => {
    const stream = streamOf({ delta: async () => '{}' });
    const dead = connect(stream, 1);
    await until(() => dead.destroyed);
    expect(connect(stream).destroyed).toBe(false);
  });

  it('drops a client that has not read for ten seconds', async () => {
    const stream = streamOf();
    const dead = connect(stream, 1);
    await until(() => dead.text !== '');
    const real = performance.now.bind(performance);
    await new Promise((resolve) => setTimeout(resolve, 6));
    const late = jest.spyOn(performance, 'now').mockImplementation(() => real() + 11_000);
    try {
      await until(() => dead.destroyed);
    } finally {
      late.mockRestore();
    }
  });

  it('cuts a long snapshot without breaking characters', async () => {
    const json = JSON.stringify('ä€😀'.repeat(30_000));
    const stream = streamOf({ snapshot: () => json });
    const parts: Buffer[] = [];
    const response = new Response();
    response.write = (chunk) => parts.push(Buffer.from(chunk)) > 0;
    stream.serve('GET', response as unknown as ServerResponse, undefined);
    await until(() => Buffer.concat(parts).toString().includes('id: abc-'));
    expect(Buffer.concat(parts).toString()).toContain(json);
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
  });

  it('survives a source that throws, and says so', async () => {
    const complaints: unknown[] = [];
    const stream = streamOf({ delta: () => Promise.reject(new Error('no')) }, complaints);
    connect(stream);
    await until(() => complaints.length > 2);
  });

  it('gives a sign of life when nothing has happened for five seconds', async () => {
    const client = connect(streamOf());
    await until(() => client.text.includes('"all"'));
    expect(client.text).not.toContain('event: delta');
    const real = performance.now.bind(performance);
    const late = jest.spyOn(performance, 'now').mockImplementation(() => real() + 5_000);
    try {
      await until(() => client.text.includes('event: delta\ndata: {}'));
    } finally {
      late.mockRestore();
    }
  });
});
