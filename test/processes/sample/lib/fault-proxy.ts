import type { IncomingMessage, ServerResponse } from 'node:http';
import { LoopbackServer } from './loopback-server.js';

/** A fault that the proxy causes instead of passing requests on, or before it does. */
export type Fault =
  | 'none'
  | 'malformed'
  | 'reset'
  | 'hang'
  | { readonly status: number }
  | { readonly delayMs: number };

/** A proxy in front of storagesvc: counts requests and can make them fail. */
export class FaultProxy extends LoopbackServer {
  fault: Fault = 'none';
  requests = 0;
  private held: (() => void)[] | undefined;

  constructor(private readonly targetPort: number) {
    super();
  }

  /** Requests wait until `letGo`. */
  hold(): void {
    this.held = [];
  }

  letGo(): void {
    const held = this.held ?? [];
    this.held = undefined;
    held.forEach((go) => go());
  }

  protected handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.requests += 1;
    if (this.held === undefined) {
      this.answer(incoming, outgoing);
    } else {
      this.held.push(() => this.answer(incoming, outgoing));
    }
  }

  private answer(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { fault } = this;
    const pass = (): void =>
      this.forward(incoming, outgoing, { port: this.targetPort, path: incoming.url });
    switch (fault) {
      case 'none':
        pass();
        return;
      case 'malformed':
        outgoing.writeHead(200, { 'content-type': 'application/json' }).end('[{"id":1,"tit');
        return;
      case 'reset':
        incoming.socket.resetAndDestroy();
        return;
      case 'hang':
        return;
      default:
        if ('delayMs' in fault) {
          const timer = setTimeout(pass, fault.delayMs);
          outgoing.once('close', () => clearTimeout(timer));
        } else {
          outgoing
            .writeHead(fault.status, { 'content-type': 'application/json' })
            .end('{"error":"made by the fault proxy"}');
        }
    }
  }
}
