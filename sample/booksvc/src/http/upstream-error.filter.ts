import { type ArgumentsHost, HttpException, HttpStatus } from '@nestjs/common';
import { BaseExceptionFilter, type HttpAdapterHost } from '@nestjs/core';
import type { AxiosError } from 'axios';
import type { ServerResponse } from 'node:http';

export const RETRY_AFTER_SECONDS = Symbol('RETRY_AFTER_SECONDS');

/**
 * What clients of booksvc see of the errors of a service that it asks. Its client throws them as they
 * are, because the policies decide by them.
 */
export abstract class UpstreamErrorFilter extends BaseExceptionFilter {
  protected constructor(
    { httpAdapter }: HttpAdapterHost,
    private readonly retryAfterSeconds: number,
    private readonly names: { readonly service: string; readonly goods: string },
  ) {
    super(httpAdapter);
  }

  override catch(error: AxiosError, host: ArgumentsHost): void {
    const { service, goods } = this.names;
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
