import type { Socket } from 'node:net';
import type { Backend } from './backend.js';
import type { Turns } from './turns.js';
import { endsIdle, type Message, MessageReader, query, SYNC } from './wire-protocol.js';

/**
 * One client. PGlite is a single Postgres session, so clients take turns: a turn lasts for a whole
 * request (Parse, Bind, Execute, Sync belong together) and for a whole transaction.
 */
export class Session {
  private readonly reader = new MessageReader();
  private request: Uint8Array[] = [];
  private giveBack: (() => void) | undefined;
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly socket: Socket,
    private readonly database: Backend,
    private readonly turns: Turns,
    onError: (error: Error) => void,
  ) {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      this.then(() => this.receive(data), onError);
    });
    socket.on('close', () => {
      this.then(() => this.end(), onError);
    });
  }

  private then(step: () => Promise<void>, onError: (error: Error) => void): void {
    this.work = this.work.then(step).catch((error: Error) => {
      this.socket.destroy();
      onError(error);
    });
  }

  private async receive(data: Buffer): Promise<void> {
    for (const message of this.reader.read(data)) {
      await this.handle(message);
    }
  }

  private async handle(message: Message): Promise<void> {
    switch (message.kind) {
      case 'ssl-request':
        this.socket.write('N');
        return;
      case 'cancel-request': // PGlite has only one backend, so nothing can be interrupted
      case 'terminate':
        this.socket.end();
        return;
      case 'request':
        this.request.push(message.bytes);
        if (message.complete) {
          await this.run();
        }
    }
  }

  private async run(): Promise<void> {
    const messages = this.request;
    this.request = [];
    this.giveBack ??= await this.turns.take();
    if (this.socket.destroyed) {
      return; // the client left while it waited; `end` gives the turn back
    }
    for (const message of messages) {
      const answer = await this.database.execProtocolRaw(message);
      this.socket.write(answer);
      if (endsIdle(answer)) {
        this.leave();
      }
    }
  }

  private async end(): Promise<void> {
    if (this.giveBack !== undefined) {
      try {
        await this.database.execProtocolRaw(SYNC);
        await this.database.execProtocolRaw(query('ROLLBACK'));
      } finally {
        this.leave();
      }
    }
  }

  private leave(): void {
    this.giveBack?.();
    this.giveBack = undefined;
  }
}
