import { type ArgumentsHost, Catch, HttpException, HttpStatus, Inject } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { AxiosError } from 'axios';
import type { ServerResponse } from 'node:http';

export const RETRY_AFTER_SECONDS = Symbol('RETRY_AFTER_SECONDS');

/**
 * What clients of booksvc see of the errors of storagesvc. The client throws them as they are, because
 * the policies decide by them.
 */
@Catch(AxiosError)
export class StorageErrorFilter extends BaseExceptionFilter {
  constructor(
    { httpAdapter }: HttpAdapterHost,
    @Inject(RETRY_AFTER_SECONDS) private readonly retryAfterSeconds: number,
  ) {
    super(httpAdapter);
  }

  override catch(error: AxiosError, host: ArgumentsHost): void {
    const status = error.response?.status ?? HttpStatus.SERVICE_UNAVAILABLE;
    if (status >= 400 && status < 500) {
      const message = status === 404 ? 'Not found' : 'storagesvc refused the request';
      super.catch(new HttpException({ statusCode: status, message }, status), host);
      return;
    }
    const response = host.switchToHttp().getResponse<ServerResponse>();
    response.setHeader('Retry-After', String(this.retryAfterSeconds));
    const unavailable = { statusCode: 503, message: 'The books are not available now' };
    super.catch(new HttpException(unavailable, HttpStatus.SERVICE_UNAVAILABLE), host);
  }
}
