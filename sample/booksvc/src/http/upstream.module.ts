import { HttpModule, type HttpModuleOptions } from '@nestjs/axios';
import { type DynamicModule, Module } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { booksvcConfig } from '../config.js';
import { OutgoingAgents } from './outgoing-agents.js';
import { OutgoingModule } from './outgoing.module.js';
import { UPSTREAM, type Upstream } from './upstream.js';

const MAX_ANSWER_BYTES = 5_000_000;

/** The `HttpService` for a service that booksvc calls, and its name for the error filter. */
@Module({})
export class UpstreamModule {
  static register(upstream: Upstream): DynamicModule {
    const http = HttpModule.registerAsync({
      imports: [OutgoingModule],
      inject: [booksvcConfig.KEY, OutgoingAgents],
      useFactory: (
        config: ConfigType<typeof booksvcConfig>,
        { httpAgent, httpsAgent }: OutgoingAgents,
      ): HttpModuleOptions => ({
        baseURL: upstream.url(config),
        httpAgent,
        httpsAgent,
        maxContentLength: MAX_ANSWER_BYTES,
        maxRedirects: 0,
        // A neighbouring service is reached directly, whatever HTTP_PROXY says.
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
