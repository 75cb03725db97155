import { type ArgumentsHost, Catch, HttpException, Injectable, Logger } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';

/** Logs the errors of the database; clients get the same answer for all of them. */
@Catch()
@Injectable()
export class DatabaseErrorFilter extends BaseExceptionFilter {
  private readonly logger = new Logger(DatabaseErrorFilter.name);

  constructor({ httpAdapter }: HttpAdapterHost) {
    super(httpAdapter);
  }

  override catch(error: unknown, host: ArgumentsHost): void {
    if (error instanceof HttpException) {
      super.catch(error, host);
      return;
    }
    this.logger.error(error instanceof Error ? error.message || error.name : String(error));
    const answer = new HttpException({ error: 'ops, I cant process you request' }, 500);
    super.catch(answer, host);
  }
}
