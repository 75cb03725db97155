import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { booksvcConfig } from '../config.js';

/** Idle connections end here first: a server of Node ends them after 5 s, and a request may just be on its way. */
const IDLE_MS = 4_000;

/**
 * The connections to other services: kept open, and so many to one host at most. Further requests wait
 * in one line for that host, whichever service behind it they are for.
 */
@Injectable()
export class OutgoingAgents implements OnApplicationShutdown {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;

  constructor(@Inject(booksvcConfig.KEY) config: ConfigType<typeof booksvcConfig>) {
    const options = { keepAlive: true, timeout: IDLE_MS, maxSockets: config.outgoingSockets };
    this.httpAgent = new HttpAgent(options);
    this.httpsAgent = new HttpsAgent(options);
  }

  onApplicationShutdown(): void {
    this.httpAgent.destroy();
    this.httpsAgent.destroy();
  }
}
