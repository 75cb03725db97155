import { AsyncResource } from 'node:async_hooks';
import type { ServerResponse } from 'node:http';
import { STREAM_HEAD, isGone, whenGone } from '../../common/event-stream/response.js';
import { Turns } from '../../common/turns.js';
import { AdminError } from '../admin-error.js';
import type { AdminSeries } from '../contract.js';
import { LiveClient } from './live-client.js';
import { MessageRing } from './message-ring.js';

/** After this much time without a message, one is sent anyway, milliseconds. */
const HEARTBEAT = 5_000;

/** Bytes of a piece of a snapshot; one piece at most waits for a client that does not read. */
const PIECE = 65_536;

export interface LiveStreamOptions {
  /** Milliseconds between two deltas. */
  readonly interval: number;
  readonly maxConnections: number;
}

/** The messages of the stream; made once for all clients. */
export interface LiveSource {
  delta(whole: boolean): Promise<string | undefined>;
  nothing(): string;
  snapshot(): string;
}

/**
 * Server-sent events: to each new client a snapshot, then to all the same deltas. Without clients there is no timer and nothing
 * is computed; everything that a returning client has missed is then one delta.
 */
export class LiveStream {
  private readonly clients = new Map<ServerResponse, LiveClient>();
  private readonly ring = new MessageRing();
  private readonly context = new AsyncResource('nest-resilience:admin-stream');
  private timer: NodeJS.Timeout | undefined = undefined;
  private closed = false;
  private ticking = false;
  private tickedAt = -Infinity;
  private toldAt = -Infinity;

  constructor(
    private readonly options: LiveStreamOptions,
    private readonly source: LiveSource,
    private readonly series: () => Iterable<AdminSeries>,
    /** The first half of the ids: ids from another start do not match. */
    private readonly instance: string,
    private readonly complain: (error: unknown) => void,
  ) {}

  /** @throws {AdminError} when there is no room for another client */
  admit(): void {
    if (!this.closed && this.clients.size < this.options.maxConnections) return;
    throw new AdminError(503, 'TOO_MANY_CLIENTS', 'too many clients read the stream; come back');
  }

  /** Answers a request that has been admitted. */
  serve(method: string, response: ServerResponse, lastEventId: string | undefined): void {
    if (isGone(response) || response.headersSent) return;
    response.writeHead(200, STREAM_HEAD);
    if (method === 'HEAD') return void response.end();
    response.write('retry: 2000\n\n');
    whenGone(response, () => this.remove(response));
    response.once('error', () => this.remove(response));
    this.clients.set(response, new LiveClient(response, this.ring, this.positionOf(lastEventId)));
    this.timer ??= this.start();
    if (performance.now() - this.tickedAt >= this.options.interval) this.tick();
  }

  /** Ends all responses before Nest closes the server, which would wait for them. */
  close(): void {
    this.closed = true;
    for (const response of [...this.clients.keys()]) {
      this.remove(response);
      response.end();
    }
  }

  private positionOf(lastEventId: string | undefined): number | undefined {
    const match = /^([0-9a-f]+)-(\d{1,15})$/.exec(lastEventId ?? '');
    if (match?.[1] !== this.instance) return undefined;
    const position = Number(match[2]);
    return this.ring.reaches(position) ? position : undefined;
  }

  private start(): NodeJS.Timeout {
    return this.apart(() => setInterval(() => this.tick(), this.options.interval).unref());
  }

  private remove(response: ServerResponse): void {
    const client = this.clients.get(response);
    if (client === undefined) return;
    this.clients.delete(response);
    client.leave();
    if (this.clients.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tick(): void {
    if (this.ticking) return;
    this.ticking = true;
    // Everything may have changed while there were no clients.
    const whole = performance.now() - this.tickedAt > 2 * this.options.interval;
    this.tickedAt = performance.now();
    void this.apart(() => this.tell(whole))
      .catch((error: unknown) => this.complain(error))
      .finally(() => (this.ticking = false));
  }

  private async tell(whole: boolean): Promise<void> {
    const now = performance.now();
    for (const [response, client] of [...this.clients]) {
      if (!client.isTooSlow(now)) continue;
      this.remove(response);
      client.disconnect();
    }
    let delta = await this.source.delta(whole);
    if (delta === undefined && now - this.toldAt >= HEARTBEAT) delta = this.source.nothing();
    if (delta !== undefined) {
      this.toldAt = now;
      this.ring.add((number) => this.message('delta', delta, number));
    }
    const clients = [...this.clients.values()];
    for (const client of clients) client.pump();
    const joining = clients.filter(({ position }) => position === undefined);
    if (joining.length === 0) return;
    const { last } = this.ring;
    const pieces = await this.pieces(last);
    for (const client of joining) client.begin(pieces, last);
  }

  /** A snapshot and the series, in pieces. The last message alone has the id, so that no client resumes in the middle. */
  private async pieces(number: number): Promise<Buffer[]> {
    const texts = [this.message('snapshot', this.source.snapshot())];
    const turns = new Turns();
    let batch: string[] = [];
    let length = 0;
    for (const series of this.series()) {
      if (turns.over) await turns.next();
      const json = JSON.stringify(series);
      batch.push(json);
      length += json.length;
      if (length < PIECE) continue;
      texts.push(this.message('series', `[${batch.join(',')}]`));
      batch = [];
      length = 0;
    }
    texts.push(this.message('series', `[${batch.join(',')}]`, number));
    return texts.flatMap((text) => [...cut(Buffer.from(text))]);
  }

  private message(event: string, json: string, number?: number): string {
    const id = number === undefined ? '' : `id: ${this.instance}-${number}\n`;
    return `${id}event: ${event}\ndata: ${json}\n\n`;
  }

  /** Runs `work` outside the async context of whichever client happens to be first, since the stream is shared. */
  private apart<T>(work: () => T): T {
    return this.context.runInAsyncScope(work);
  }
}

/** Pieces of bytes, not of characters, which may be several bytes long. */
function* cut(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}
