import type { ServerResponse } from 'node:http';

/** Somebody who reads the stream. */
export class StreamClient {
  /** Whether it has read what there was: nothing is written before it has. */
  ready = true;
  /** Called when it has caught up, or has gone. */
  onChange: (() => void) | undefined = undefined;
  private gone = false;

  constructor(private readonly response: ServerResponse) {
    response.on('drain', () => {
      this.ready = true;
      this.onChange?.();
    });
  }

  get reads(): boolean {
    return !this.gone && !this.response.writableEnded;
  }

  write(text: string): void {
    if (this.reads) this.ready = this.response.write(text);
  }

  leave(): void {
    this.gone = true;
    this.onChange?.();
  }
}
