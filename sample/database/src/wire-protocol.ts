/** The part of the Postgres wire protocol (message flow of version 3) that the server needs. */

export type Message =
  | { readonly kind: 'ssl-request' }
  | { readonly kind: 'cancel-request' }
  | { readonly kind: 'terminate' }
  /** `complete`: the client now waits for an answer. */
  | { readonly kind: 'request'; readonly bytes: Uint8Array; readonly complete: boolean };

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;
/** Query, Sync, Flush, FunctionCall, CopyDone, CopyFail, password */
const ENDS_A_REQUEST = new Set('QSHFcfp');

/** Splits the bytes of one client into messages. */
export class MessageReader {
  private buffer: Buffer = Buffer.alloc(0);
  private started = false;

  *read(data: Buffer): Generator<Message> {
    this.buffer = Buffer.concat([this.buffer, data]);
    for (let message = this.next(); message !== undefined; message = this.next()) {
      yield message;
    }
  }

  private next(): Message | undefined {
    // Messages after the startup have a type byte before their length; those before, a code behind it.
    const [offset, header] = this.started ? [1, 5] : [0, 8];
    if (this.buffer.length < header) {
      return undefined;
    }
    const length = offset + this.buffer.readInt32BE(offset);
    if (this.buffer.length < length) {
      return undefined;
    }
    const bytes = this.buffer.subarray(0, length);
    this.buffer = this.buffer.subarray(length);
    return this.started ? typed(bytes) : this.untyped(bytes);
  }

  private untyped(bytes: Buffer): Message {
    switch (bytes.readInt32BE(4)) {
      case SSL_REQUEST:
      case GSS_REQUEST:
        return { kind: 'ssl-request' };
      case CANCEL_REQUEST:
        return { kind: 'cancel-request' };
      default:
        this.started = true;
        return { kind: 'request', bytes, complete: true };
    }
  }
}

function typed(bytes: Buffer): Message {
  const type = String.fromCharCode(bytes[0] ?? 0);
  return type === 'X'
    ? { kind: 'terminate' }
    : { kind: 'request', bytes, complete: ENDS_A_REQUEST.has(type) };
}

/** Whether an answer ends with ReadyForQuery of a session outside any transaction. */
export function endsIdle(answer: Uint8Array): boolean {
  const tail = Buffer.from(answer.subarray(-6)).toString('latin1');
  return tail === 'Z\0\0\0\x05I';
}

/** A Query message. */
export function query(sql: string): Uint8Array {
  const text = Buffer.from(`${sql}\0`);
  const head = Buffer.from('Q\0\0\0\0');
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]);
}

/** A Sync message: ends an unfinished extended query. */
export const SYNC: Uint8Array = Buffer.from('S\0\0\0\x04', 'latin1');
