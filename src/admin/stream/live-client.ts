import type { ServerResponse } from 'node:http';
import { StreamClient } from '../../common/event-stream/stream-client.js';
import type { MessageRing } from './message-ring.js';

/** A client that lags behind for longer than this is disconnected, milliseconds. */
const PATIENCE = 10_000;

/**
 * A client of the stream: first it gets the pieces of a snapshot, then all messages after it. One that does not read gets nothing
 * until it does, so that hardly anything piles up for it.
 */
export class LiveClient extends StreamClient {
  private pieces: readonly Buffer[] = [];
  private nextPiece = 0;
  private stuckSince: number | undefined = undefined;

  /** @param position the number of the last message that it has received; `undefined`: it needs a snapshot */
  constructor(
    response: ServerResponse,
    private readonly ring: MessageRing,
    public position: number | undefined,
  ) {
    super(response);
    this.onChange = () => this.pump();
  }

  /** Gives it a snapshot, after which messages from `position` on follow. */
  begin(pieces: readonly Buffer[], position: number): void {
    this.pieces = pieces;
    this.nextPiece = 0;
    this.position = position;
    this.pump();
  }

  /** Writes as much as it takes. */
  pump(): void {
    if (this.position === undefined) return;
    while (this.ready && this.reads) {
      if (this.nextPiece < this.pieces.length) {
        this.write(this.pieces[this.nextPiece++]!);
        continue;
      }
      this.pieces = [];
      this.nextPiece = 0;
      const message = this.ring.after(this.position);
      if (message === undefined) return;
      this.write(message.bytes);
      this.position = message.number;
    }
  }

  /** Whether it has read too slowly: for too long, or so that messages that it needs are gone. */
  isTooSlow(now: number): boolean {
    if (this.position === undefined) return false;
    if (!this.ring.reaches(this.position)) return true;
    if (this.ready) this.stuckSince = undefined;
    else this.stuckSince ??= now;
    return this.stuckSince !== undefined && now - this.stuckSince > PATIENCE;
  }

  disconnect(): void {
    this.leave();
    this.response.destroy();
  }
}
