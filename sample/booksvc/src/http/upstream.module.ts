import { HttpModule } from '@nestjs/axios';
import { type DynamicModule, Module } from '@nestjs/common';
import type { BooksvcConfig } from '../config.js';
import { OutgoingAgents } from './outgoing-agents.js';
import { RETRY_AFTER_SECONDS } from './upstream-error.filter.js';

const MAX_ANSWER_BYTES = 5_000_000;

/** What the clients of other services have in common. */
@Module({})
export class UpstreamModule {
  static register({ outgoingSockets, policies }: BooksvcConfig): DynamicModule {
    const providers = [
      { provide: OutgoingAgents, useFactory: () => new OutgoingAgents(outgoingSockets) },
      { provide: RETRY_AFTER_SECONDS, useValue: Math.ceil(policies.openFor / 1_000) },
    ];
    return { module: UpstreamModule, global: true, providers, exports: providers };
  }

  /** The `HttpService` for one of them. */
  static http(baseURL: string): DynamicModule {
    return HttpModule.registerAsync({
      inject: [OutgoingAgents],
      useFactory: ({ httpAgent, httpsAgent }: OutgoingAgents) => ({
        baseURL,
        httpAgent,
        httpsAgent,
        maxContentLength: MAX_ANSWER_BYTES,
        maxRedirects: 0,
        // A neighbour is reached directly, whatever HTTP_PROXY says.
        proxy: false,
      }),
    });
  }
}
