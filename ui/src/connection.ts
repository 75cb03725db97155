import { createParser } from 'eventsource-parser';

/** A message of the stream. */
export interface Message {
  readonly event: string;
  readonly data: string;
}

/** Hears about the state of the connection. */
export interface Listener {
  /** Connected; also after each reconnection. */
  opened(): void;
  message(message: Message): void;
  /** Nothing has been heard for a while, or the server has gone. The next attempt comes by itself. */
  lost(reason: string): void;
  /** The server wants to know who asks. */
  refused(status: number): void;
}

/** The server sends a message at least every 5 s; a much longer silence is a lost connection. */
const SILENCE_MS = 30_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/**
 * Server-sent events that resume after any break, where they stopped. `EventSource` is not used: it cannot send an
 * `Authorization` header, and does not report the status of a refusal.
 */
export class Connection {
  private lastId = '';
  private wait = FIRST_WAIT_MS;
  private current: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly url: string,
    private readonly headers: () => Record<string, string>,
    private readonly listener: Listener,
  ) {}

  /** Reconnects at once, for example after the page was hidden or a token was entered. */
  start(): void {
    this.stop();
    this.wait = FIRST_WAIT_MS;
    void this.run();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.current?.abort();
    this.current = undefined;
  }

  private async run(): Promise<void> {
    const controller = new AbortController();
    this.current = controller;
    let reason = 'the server has ended the stream';
    try {
      const response = await fetch(this.url, {
        headers: {
          ...this.headers(),
          accept: 'text/event-stream',
          ...(this.lastId ? { 'last-event-id': this.lastId } : {}),
        },
        cache: 'no-store',
        signal: controller.signal,
      });
      if (response.status === 401 || response.status === 403) {
        await response.body?.cancel();
        this.listener.refused(response.status);
        return;
      }
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
      this.listener.opened();
      await this.read(response.body, controller);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    // This connection was stopped or replaced meanwhile.
    if (this.current !== controller) return;
    this.listener.lost(reason);
    this.timer = setTimeout(() => void this.run(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  private async read(body: ReadableStream<Uint8Array>, controller: AbortController): Promise<void> {
    const parser = createParser({
      onEvent: ({ event = 'message', data, id }) => {
        if (id !== undefined) this.lastId = id;
        this.wait = FIRST_WAIT_MS;
        this.listener.message({ event, data });
      },
    });
    const decoder = new TextDecoder();
    const reader = body.getReader();
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => controller.abort(new Error('nothing heard for 30 s')), SILENCE_MS);
    };
    try {
      for (;;) {
        heard();
        const { done, value } = await reader.read();
        if (done) return;
        parser.feed(decoder.decode(value, { stream: true }));
      }
    } finally {
      clearTimeout(silence);
      reader.cancel().catch(() => {});
    }
  }
}
