import { AsyncResource } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import type { OnModuleDestroy } from '@nestjs/common';

const HEAD = {
  'Content-Type': 'text/event-stream;charset=UTF-8',
  // no-transform: a compressing middleware would hold back what it gets.
  'Cache-Control': 'no-cache, no-store, max-age=0, must-revalidate, no-transform',
  Pragma: 'no-cache',
  'X-Accel-Buffering': 'no',
};

export interface EventStreamOptions {
  /** Milliseconds. */
  readonly interval: number;
  readonly maxConnections: number;
}

/**
 * Writes the same text to all of its clients, when one comes and then every `interval`. There is one timer, and
 * none without clients. A client that does not read is left out until it does, so that nothing piles up for it.
 */
export class EventStream implements OnModuleDestroy {
  private readonly clients = new Map<ServerResponse, { ready: boolean }>();
  private timer: NodeJS.Timeout | undefined = undefined;
  private closed = false;
  private readonly context = new AsyncResource('nest-resilience:event-stream');

  constructor(
    private readonly options: EventStreamOptions,
    /** What is to be written; must not throw. */
    private readonly text: () => string,
  ) {}

  /** Answers a request: with the stream, or with 503 when there are too many clients. */
  serve(method: string, response: ServerResponse): void {
    const { maxConnections } = this.options;
    if (isGone(response) || response.headersSent) return;
    if (this.closed) return refuse(response, 'Service has been shut down.');
    if (this.clients.size >= maxConnections) {
      return refuse(response, `MaxConcurrentConnections reached: ${maxConnections}`);
    }
    response.writeHead(200, HEAD);
    if (method === 'HEAD') response.end();
    else this.add(response);
  }

  /** Before Nest closes the server: that waits for responses which nobody has ended. */
  onModuleDestroy(): void {
    this.closed = true;
    for (const response of this.clients.keys()) {
      this.remove(response);
      response.end();
    }
  }

  private add(response: ServerResponse): void {
    const client = { ready: true };
    response.on('drain', () => (client.ready = true));
    response.once('close', () => this.remove(response));
    this.clients.set(response, client);
    this.timer ??= this.start();
    this.write(this.text(), response, client);
  }

  /** Not in the async context of the client that happens to be first: the timer is everybody's. */
  private start(): NodeJS.Timeout {
    return this.context.runInAsyncScope(() =>
      setInterval(() => this.tick(), this.options.interval).unref(),
    );
  }

  private remove(response: ServerResponse): void {
    this.clients.delete(response);
    if (this.clients.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tick(): void {
    const text = this.text();
    for (const [response, client] of this.clients) this.write(text, response, client);
  }

  private write(text: string, response: ServerResponse, client: { ready: boolean }): void {
    if (client.ready && !response.writableEnded) client.ready = response.write(text);
  }
}

/** HTTP/2 does not say `destroyed`, but takes the socket away. */
function isGone(response: ServerResponse): boolean {
  return response.destroyed || response.socket === undefined;
}

function refuse(response: ServerResponse, reason: string): void {
  response.writeHead(503, { 'Content-Type': 'text/plain;charset=UTF-8' }).end(reason);
}
