import { HttpModule } from '@nestjs/axios';
import { type DynamicModule, Module } from '@nestjs/common';
import type { BooksvcConfig } from '../config.js';
import { OutgoingAgents } from './outgoing-agents.js';
import { RETRY_AFTER_SECONDS } from './upstream-error.filter.js';
import { UPSTREAM, type Upstream } from './upstream.js';

const MAX_ANSWER_BYTES = 5_000_000;

@Module({})
export class UpstreamModule {
  /** Shared by all services that booksvc asks. */
  static forRoot({ outgoingSockets, policies }: BooksvcConfig): DynamicModule {
    const providers = [
      { provide: OutgoingAgents, useFactory: () => new OutgoingAgents(outgoingSockets) },
      { provide: RETRY_AFTER_SECONDS, useValue: Math.ceil(policies.openFor / 1_000) },
    ];
    return { module: UpstreamModule, global: true, providers, exports: providers };
  }

  /** The `HttpService` for one of them, and its name for the error filter. */
  static forFeature(upstream: Upstream, baseURL: string): DynamicModule {
    const http = HttpModule.registerAsync({
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
    return {
      module: UpstreamModule,
      imports: [http],
      providers: [{ provide: UPSTREAM, useValue: upstream }],
      exports: [HttpModule, UPSTREAM],
    };
  }
}
