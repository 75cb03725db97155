import type { ServerResponse } from 'node:http';

/** A client that reads the stream. */
export class StreamClient {
  /** Whether its buffer has drained. Nothing is written before that. */
  ready = true;
  /** Called when its buffer has drained or the client has gone. */
  onChange: (() => void) | undefined = undefined;
  private gone = false;

  constructor(protected readonly response: ServerResponse) {
    response.on('drain', () => {
      this.ready = true;
      this.onChange?.();
    });
  }

  get reads(): boolean {
    return !this.gone && !this.response.writableEnded;
  }

  write(text: string | Uint8Array): void {
    if (this.reads) this.ready = this.response.write(text);
  }

  leave(): void {
    this.gone = true;
    this.onChange?.();
  }
}
