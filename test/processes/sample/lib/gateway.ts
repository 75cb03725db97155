import type { IncomingMessage, ServerResponse } from 'node:http';
import { LoopbackServer } from './loopback-server.js';

/**
 * One address for many services, as an ingress or the sidecar of a mesh gives them: the first part of a
 * path names the service.
 */
export class Gateway extends LoopbackServer {
  constructor(private readonly ports: Readonly<Record<string, number>>) {
    super();
  }

  protected handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const [, service = '', path] = /^\/([^/]+)(\/.*)$/.exec(incoming.url ?? '') ?? [];
    const port = this.ports[service];
    if (port === undefined) {
      outgoing.writeHead(404).end();
    } else {
      this.forward(incoming, outgoing, { port, path });
    }
  }
}
