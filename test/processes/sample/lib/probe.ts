import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/**
 * Loaded into a process of the experiment in addition to its own code (`node --expose-gc --import`): answers
 * questions from the parent.
 */
export interface Answers {
  /** In use after a garbage collection. */
  readonly memory: NodeJS.MemoryUsage;
  /** The most since this was asked last. */
  readonly peaks: Peaks;
}

export interface Peaks {
  /** Bytes that the process has from the system. */
  readonly resident: number;
  /** Connections that others have opened. */
  readonly incoming: number;
  /** Connections to others. */
  readonly outgoing: number;
}

const SAMPLE_MS = 100;

class Gauge {
  private peak = 0;

  constructor(private value = 0) {}

  add(change: number): void {
    this.set(this.value + change);
  }

  set(value: number): void {
    this.value = value;
    this.peak = Math.max(this.peak, value);
  }

  takePeak(): number {
    const { peak } = this;
    this.peak = this.value;
    return peak;
  }
}

const resident = new Gauge();
const incoming = sockets('net.server.socket');
const outgoing = sockets('net.client.socket');
setInterval(() => resident.set(process.memoryUsage.rss()), SAMPLE_MS).unref();

const answer: { readonly [Question in keyof Answers]: () => Answers[Question] } = {
  memory: () => {
    globalThis.gc?.();
    return process.memoryUsage();
  },
  peaks: () => ({
    resident: resident.takePeak(),
    incoming: incoming.takePeak(),
    outgoing: outgoing.takePeak(),
  }),
};

function sockets(channel: string): Gauge {
  const gauge = new Gauge();
  subscribe(channel, (message) => {
    gauge.add(1);
    (message as { socket: Socket }).socket.once('close', () => gauge.add(-1));
  });
  return gauge;
}

process.on('message', (question: keyof Answers) => process.send?.(answer[question]()));
process.channel?.unref();
