import { connect, createServer, type Socket } from 'node:net';
import { HOST } from '../../../sample/launcher/src/net.js';

/**
 * - `held`: no byte passes, but none is lost
 * - `slow`: each chunk takes a while
 * - `unanswered`: answers of Redis are lost, until all connections end
 * - `cut`: connections end in the middle of answers, again and again
 * - `refused`: connections end, and new ones are refused
 */
export type Disturbance = 'none' | 'held' | 'slow' | 'unanswered' | 'cut' | 'refused';

const CUT_EVERY = 120;

/** Longer than a call waits, but shorter than a background step may take; milliseconds each way. */
const SLOW_BY = 80;

/** Passes bytes on, between the client of one instance and Redis, and can be disturbed. */
export class Wire {
  private how: Disturbance = 'none';
  private readonly sockets = new Set<Socket>();
  /** Chunks that are being delayed. */
  private slow = 0;
  private cutting: NodeJS.Timeout | undefined;

  constructor(private readonly target: number) {}

  listen(told: (port: number) => void): void {
    const server = createServer((client) => this.join(client));
    server.listen(0, HOST, () => {
      const address = server.address();
      if (typeof address === 'object' && address !== null) told(address.port);
    });
  }

  disturb(how: Disturbance): void {
    const former = this.how;
    this.how = how;
    clearInterval(this.cutting);
    // A stream that has lost bytes is useless.
    if (former === 'unanswered' || how === 'refused') this.endAll();
    if (how === 'cut') this.cutting = setInterval(() => this.endAll(), CUT_EVERY);
    for (const socket of this.sockets) {
      if (how === 'held') socket.pause();
      else socket.resume();
    }
  }

  private endAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private join(client: Socket): void {
    if (this.how === 'refused') return void client.destroy();
    const redis = connect(this.target, HOST);
    for (const socket of [client, redis]) {
      socket.setNoDelay(true);
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        redis.destroy();
      });
    }
    client.on('data', (bytes) => this.pass(bytes, redis));
    redis.on('data', (bytes) => {
      if (this.how === 'unanswered') return;
      // Half of it arrives before the connection ends.
      const half = this.how === 'cut' && Math.random() < 0.1;
      this.pass(half ? bytes.subarray(0, bytes.length / 2) : bytes, client);
      if (half) redis.destroy();
    });
    if (this.how === 'held') for (const socket of [client, redis]) socket.pause();
  }

  private pass(bytes: Buffer, to: Socket): void {
    if (this.how !== 'slow' && this.slow === 0) return void to.write(bytes);
    // Later chunks stay behind it: the delay is the same for all.
    this.slow += 1;
    setTimeout(() => {
      this.slow -= 1;
      if (!to.destroyed) to.write(bytes);
    }, SLOW_BY);
  }
}
