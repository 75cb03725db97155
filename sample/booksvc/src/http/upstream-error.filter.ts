import { type ArgumentsHost, Catch, HttpException, HttpStatus, Inject } from '@nestjs/common';
import type { ConfigType } from '@nestjs/config';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { AxiosError } from 'axios';
import type { ServerResponse } from 'node:http';
import { booksvcConfig } from '../config.js';
import { UPSTREAM, type Upstream } from './upstream.js';

/**
 * Answers clients of booksvc when a service that it calls has failed. The service's client throws errors
 * unchanged, because the policies judge them.
 */
@Catch(AxiosError)
export class UpstreamErrorFilter extends BaseExceptionFilter {
  constructor(
    { httpAdapter }: HttpAdapterHost,
    @Inject(booksvcConfig.KEY) private readonly config: ConfigType<typeof booksvcConfig>,
    @Inject(UPSTREAM) private readonly upstream: Upstream,
  ) {
    super(httpAdapter);
  }

  override catch(error: AxiosError, host: ArgumentsHost): void {
    const { service, goods } = this.upstream;
    const status = error.response?.status ?? HttpStatus.SERVICE_UNAVAILABLE;
    if (status >= 400 && status < 500) {
      const message = status === 404 ? 'Not found' : `${service} refused the request`;
      super.catch(new HttpException({ statusCode: status, message }, status), host);
      return;
    }
    const response = host.switchToHttp().getResponse<ServerResponse>();
    // By then an open breaker admits a request again.
    const seconds = Math.ceil(this.config.policies.openFor / 1_000);
    response.setHeader('Retry-After', String(seconds));
    const unavailable = { statusCode: 503, message: `${goods} are not available now` };
    super.catch(new HttpException(unavailable, HttpStatus.SERVICE_UNAVAILABLE), host);
  }
}
