import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { booksvcConfig } from '../config.js';

/** Idle connections are closed here first: a Node server closes them after 5 s, perhaps while a request is on its way. */
const IDLE_MS = 4_000;

/**
 * The connections to other services: kept open, with a maximum per host. Further requests wait
 * in one queue per host, for all services behind it.
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
