/** A message that has been sent, for clients that resume the stream. */
export interface Message {
  readonly number: number;
  readonly bytes: Buffer;
}

/** The latest messages, limited in number and total length. */
export class MessageRing {
  private readonly messages: Message[] = [];
  private size = 0;
  /** The number of the latest message. */
  last = 0;

  constructor(
    private readonly maxMessages = 120,
    private readonly maxBytes = 4_000_000,
  ) {}

  /** @param textOf makes the message, which contains its number */
  add(textOf: (number: number) => string): void {
    this.last += 1;
    const bytes = Buffer.from(textOf(this.last));
    this.messages.push({ number: this.last, bytes });
    this.size += bytes.length;
    while (this.messages.length > this.maxMessages || this.size > this.maxBytes) {
      const gone = this.messages.shift();
      if (gone === undefined) break;
      this.size -= gone.bytes.length;
    }
  }

  /** Whether all messages after that number are still kept. */
  reaches(number: number): boolean {
    if (number === this.last) return true;
    const first = this.messages[0]?.number ?? this.last + 1;
    return number < this.last && number >= first - 1;
  }

  /** The message after that number; `undefined` when it is the latest. */
  after(number: number): Message | undefined {
    const first = this.messages[0]?.number ?? this.last + 1;
    return this.messages[number + 1 - first];
  }
}
