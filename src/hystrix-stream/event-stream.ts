import { AsyncResource } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import type { OnModuleDestroy } from '@nestjs/common';
import { STREAM_HEAD, isGone, whenGone } from '../common/event-stream/response.js';
import { StreamClient } from '../common/event-stream/stream-client.js';
import { StreamPass } from '../common/event-stream/stream-pass.js';

/** How long slow clients may delay a pass, milliseconds. */
const LONGEST_WAIT = 1_000;

export interface EventStreamOptions {
  /** Milliseconds. */
  readonly interval: number;
  readonly maxConnections: number;
}

/**
 * Writes the same text to all of its clients every `interval`. One pass serves all clients together, in turns, so that
 * other work never waits long, however long the text is; passes never overlap. Without clients there is no pass and no
 * timer.
 *
 * A new client takes part from the next pass on: at once, unless the last pass began within the interval. A client that
 * does not read is left out until it does, so that nothing piles up for it.
 */
export class EventStream implements OnModuleDestroy {
  private readonly clients = new Map<ServerResponse, StreamClient>();
  private timer: NodeJS.Timeout | undefined = undefined;
  private closed = false;
  private passing = false;
  private begunAt = -Infinity;
  private readonly context = new AsyncResource('nest-resilience:event-stream');

  constructor(
    private readonly options: EventStreamOptions,
    /** The parts of the text, made one by one; must not throw. */
    private readonly parts: () => Iterable<string>,
  ) {}

  /** Answers a request: with the stream, or with 503 when there are too many clients. */
  serve(method: string, response: ServerResponse): void {
    const { maxConnections } = this.options;
    if (isGone(response) || response.headersSent) return;
    if (this.closed) return refuse(response, 'Service has been shut down.');
    if (this.clients.size >= maxConnections) {
      return refuse(response, `MaxConcurrentConnections reached: ${maxConnections}`);
    }
    response.writeHead(200, STREAM_HEAD);
    if (method === 'HEAD') response.end();
    else this.add(response);
  }

  /** Ends all responses before Nest closes the server, which would wait for them. */
  onModuleDestroy(): void {
    this.closed = true;
    for (const response of this.clients.keys()) {
      this.remove(response);
      response.end();
    }
  }

  private add(response: ServerResponse): void {
    response.flushHeaders(); // the first pass may come only after an interval
    whenGone(response, () => this.remove(response));
    this.clients.set(response, new StreamClient(response));
    this.timer ??= this.start();
    if (performance.now() - this.begunAt >= this.options.interval) this.tick();
  }

  private start(): NodeJS.Timeout {
    return this.apart(() => setInterval(() => this.tick(), this.options.interval).unref());
  }

  private remove(response: ServerResponse): void {
    this.clients.get(response)?.leave();
    this.clients.delete(response);
    if (this.clients.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tick(): void {
    if (this.passing) return;
    this.passing = true;
    this.begunAt = performance.now();
    const readers = [...this.clients.values()].filter(({ ready }) => ready);
    const pass = new StreamPass(readers, Math.min(this.options.interval, LONGEST_WAIT));
    void this.apart(() => pass.run(this.parts())).finally(() => (this.passing = false));
  }

  /** Runs `work` outside the async context of the first client, since the stream is shared. */
  private apart<T>(work: () => T): T {
    return this.context.runInAsyncScope(work);
  }
}

function refuse(response: ServerResponse, reason: string): void {
  response.writeHead(503, { 'Content-Type': 'text/plain;charset=UTF-8' }).end(reason);
}
