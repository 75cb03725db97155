import { type ArgumentsHost, Catch, HttpException, HttpStatus, Inject } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { AxiosError } from 'axios';
import type { ServerResponse } from 'node:http';
import { UPSTREAM, type Upstream } from './upstream.js';

export const RETRY_AFTER_SECONDS = Symbol('RETRY_AFTER_SECONDS');

/**
 * Answers clients of booksvc when a service that it asks has failed. The service's client throws errors
 * as they are, because the policies decide by them.
 */
@Catch(AxiosError)
export class UpstreamErrorFilter extends BaseExceptionFilter {
  constructor(
    { httpAdapter }: HttpAdapterHost,
    @Inject(RETRY_AFTER_SECONDS) private readonly retryAfterSeconds: number,
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
    response.setHeader('Retry-After', String(this.retryAfterSeconds));
    const unavailable = { statusCode: 503, message: `${goods} are not available now` };
    super.catch(new HttpException(unavailable, HttpStatus.SERVICE_UNAVAILABLE), host);
  }
}
