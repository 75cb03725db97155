import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { until } from '../../test/support/wait.js';
import { EventStream } from './event-stream.js';

/** As a socket has it whose kernel takes everything. */
type Room = number | 'drains at once';

/** A response that takes so many characters before it has to drain. */
class Response extends EventEmitter {
  readonly written: string[] = [];
  status: number | undefined = undefined;
  writableEnded = false;
  destroyed = false;
  readonly socket = {};
  readonly headersSent = false;
  private held = 0;

  constructor(private readonly room: Room = Infinity) {
    super();
  }

  writeHead(status: number): this {
    this.status = status;
    return this;
  }

  flushHeaders(): void {}

  write(text: string): boolean {
    this.written.push(text);
    this.held += text.length;
    if (this.room !== 'drains at once') return this.held < this.room;
    process.nextTick(() => this.drain());
    return false;
  }

  end(): void {
    this.writableEnded = true;
    this.emit('close');
  }

  drain(): void {
    this.held = 0;
    this.emit('drain');
  }

  get text(): string {
    return this.written.join('');
  }
}

const connect = (stream: EventStream, room?: Room): Response => {
  const response = new Response(room);
  stream.serve('GET', response as unknown as ServerResponse);
  return response;
};

const streams: EventStream[] = [];
const streamOf = (parts: () => Iterable<string>, interval = 1, maxConnections = 5): EventStream => {
  const stream = new EventStream({ interval, maxConnections }, parts);
  streams.push(stream);
  return stream;
};
afterEach(() => {
  for (const stream of streams.splice(0)) stream.onModuleDestroy();
});

function* slowly(parts: number, ms: number, made: () => void = () => {}): Generator<string> {
  for (let part = 0; part < parts; part++) {
    const ends = performance.now() + ms;
    while (performance.now() < ends);
    made();
    yield `${part} `;
  }
}

const listOf = (parts: number): string =>
  Array.from({ length: parts }, (_, at) => `${at} `).join('');

describe('a stream with much content', () => {
  it('lets other work run in between', async () => {
    let turn = 0;
    const inTurn = new Map<number, number>();
    const made = (): void => void inTurn.set(turn, (inTurn.get(turn) ?? 0) + 1);
    const response = connect(streamOf(() => slowly(60, 1, made), 5_000));
    while (response.text !== listOf(60)) {
      turn += 1;
      await nextTurn();
    }
    expect(Math.max(...inTurn.values())).toBeLessThanOrEqual(7); // of 1 ms each
  });

  it('writes nothing empty when its first part takes longer than a turn', async () => {
    const response = connect(streamOf(() => slowly(2, 3), 5_000));
    while (response.text !== listOf(2)) await nextTurn();
    expect(response.written).not.toContain('');
  });

  it('lets other work run even if its client always catches up at once', async () => {
    let turn = 0;
    const inTurn = new Map<number, number>();
    const made = (): void => void inTurn.set(turn, (inTurn.get(turn) ?? 0) + 1);
    function* pieces(): Generator<string> {
      for (const part of slowly(60, 1, made)) yield part + 'x'.repeat(70_000);
    }
    const response = connect(streamOf(pieces, 5_000), 'drains at once');
    while (response.written.length < 60) {
      turn += 1;
      await nextTurn();
    }
    expect(Math.max(...inTurn.values())).toBeLessThanOrEqual(7);
  });

  it('is made once for all clients, and never twice at a time', async () => {
    let running = 0;
    let most = 0;
    let passes = 0;
    const stream = streamOf(function* () {
      passes += 1;
      most = Math.max(most, (running += 1));
      try {
        yield* slowly(30, 1);
      } finally {
        running -= 1;
      }
    });
    const responses = Array.from({ length: 5 }, () => connect(stream));
    await until(() => responses.every(({ text }) => text.includes('29 ')));
    expect(most).toBe(1);
    expect(passes).toBeLessThanOrEqual(3); // the first client's, that of the others
    const [first, ...others] = responses;
    expect(first!.text.startsWith('0 1 2 ')).toBe(true);
    for (const { text } of others) expect(text.startsWith('0 1 2 ')).toBe(true); // not from the middle of a pass
  });

  it('refuses further clients without a pass', () => {
    let passes = 0;
    const parts = (): Iterable<string> => {
      passes += 1;
      return ['x'];
    };
    const stream = streamOf(parts, 5_000, 1);
    connect(stream);
    const refused = Array.from({ length: 100 }, () => connect(stream));
    expect(refused.every(({ status }) => status === 503)).toBe(true);
    expect(passes).toBe(1);
  });

  it('makes at most one pass per interval, however often clients come and go', () => {
    let passes = 0;
    const parts = (): Iterable<string> => {
      passes += 1;
      return ['x'];
    };
    const stream = streamOf(parts, 5_000);
    for (let time = 0; time < 100; time++) connect(stream).end();
    expect(passes).toBe(1);
  });

  it('stops in the middle when all clients have gone, and when the application closes', async () => {
    for (const leave of ['client', 'application']) {
      let made = 0;
      let ended = false;
      const stream = streamOf(function* () {
        try {
          yield* slowly(1_000, 1, () => (made += 1));
        } finally {
          ended = true;
        }
      }, 5_000);
      const response = connect(stream);
      await nextTurn();
      if (leave === 'client') response.end();
      else stream.onModuleDestroy();
      await until(() => ended);
      expect(made).toBeLessThan(30);
    }
  });

  it('waits for a client that reads slowly, and gives it all', async () => {
    const part = 'x'.repeat(30_000);
    const stream = streamOf(() => new Array<string>(10).fill(part), 5_000);
    const response = connect(stream, 1);
    while (response.text.length < 10 * part.length) {
      await nextTurn();
      expect(response.written.at(-1)!.length).toBeLessThanOrEqual(65_536 + part.length);
      response.drain();
    }
    expect(response.written.length).toBeGreaterThan(2);
  });

  it('goes on without a client that does not read, with one piece buffered for it', async () => {
    const part = 'x'.repeat(70_000);
    const stream = streamOf(() => new Array<string>(5).fill(part), 1);
    const stuck = connect(stream, 1);
    const reads = connect(stream);
    await until(() => reads.text.length >= 3 * 5 * part.length);
    expect(stuck.written).toHaveLength(1);
    stuck.drain();
    await until(() => stuck.written.length > 1);
  });

  it('is not made in the async context of a client', async () => {
    const user = new AsyncLocalStorage<string>();
    const seen = new Set<unknown>();
    const stream = streamOf(function* () {
      seen.add(user.getStore());
      yield* slowly(12, 1);
      seen.add(user.getStore());
    });
    const response = user.run('Alice', () => connect(stream));
    await until(() => response.text.length > 2 * listOf(12).length);
    expect([...seen]).toEqual([undefined]);
  });
});
