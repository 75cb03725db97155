import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Disturbance } from './wire.js';

export type WireOrder =
  | { readonly type: 'open' }
  | { readonly type: 'disturb'; readonly wire: number; readonly how: Disturbance };

/** One wire for each instance, to one Redis. */
export class Wires {
  private constructor(
    private readonly child: ChildProcess,
    readonly ports: readonly number[],
  ) {}

  static async open(count: number, redisPort: number): Promise<Wires> {
    const script = fileURLToPath(new URL('wire-process.js', import.meta.url));
    const child = fork(script, [String(redisPort)]);
    const ports: number[] = [];
    for (let wire = 0; wire < count; wire++) {
      child.send({ type: 'open' } satisfies WireOrder);
      const [answer] = (await once(child, 'message')) as [{ port: number }];
      ports.push(answer.port);
    }
    return new Wires(child, ports);
  }

  disturb(wire: number, how: Disturbance): void {
    this.child.send({ type: 'disturb', wire, how } satisfies WireOrder);
  }

  close(): void {
    if (this.child.connected) this.child.disconnect();
  }
}
