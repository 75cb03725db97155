import { Turns } from '../turns.js';
import type { StreamClient } from './stream-client.js';

/** Characters per write; not many more are ever buffered for a client. */
const CHUNK = 65_536;

/**
 * Makes a text and writes it to several clients, in turns and in pieces, so that other work never waits long and little
 * is buffered, whatever the length of the text.
 */
export class StreamPass {
  private readonly turns = new Turns();

  /** @param patience how long it waits for slow clients in total, milliseconds; then it continues without them */
  constructor(
    private clients: readonly StreamClient[],
    private patience: number,
  ) {}

  /** Resolves when everything has been written or all clients have gone. */
  async run(parts: Iterable<string>): Promise<void> {
    const { turns } = this;
    let text = '';
    for (const part of typeof parts === 'string' ? [parts] : parts) {
      if (text.length >= CHUNK || turns.over) {
        this.write(text);
        text = '';
        if (!this.caughtUp) await this.wait(); // does not end the turn: a socket may drain at once
        if (turns.over) await turns.next();
        this.clients = this.clients.filter(({ ready, reads }) => ready && reads);
        if (this.clients.length === 0) return;
      }
      text += part;
    }
    this.write(text);
  }

  private write(text: string): void {
    if (text === '') return;
    for (const client of this.clients) client.write(text);
  }

  private get caughtUp(): boolean {
    return this.clients.every(({ ready, reads }) => ready || !reads);
  }

  /** Waits until all clients have caught up, or `patience` is used up. */
  private async wait(): Promise<void> {
    const since = performance.now();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.patience).unref();
      const check = (): void => {
        if (!this.caughtUp) return;
        clearTimeout(timer);
        resolve();
      };
      for (const client of this.clients) client.onChange = check;
    });
    for (const client of this.clients) client.onChange = undefined;
    this.patience = Math.max(0, this.patience - (performance.now() - since));
  }
}
