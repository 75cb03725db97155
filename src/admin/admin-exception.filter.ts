import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { AnyResponse } from '../common/event-stream/response.js';
import { show } from '../common/printable.js';
import { send } from './answer.js';
import { adminLogger } from './admin-logger.js';
import { AdminError } from './admin-error.js';
import type { AdminProblem } from './contract.js';

/** Answers all errors of the management API alike, whatever filters the application has, and without any part of the request. */
@Catch()
export class AdminExceptionFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const problem = problemOf(error);
    if (problem.code === 'FAILED') {
      adminLogger().error(`the management API has failed: ${show(error)}`);
    }
    const response = http.getResponse<AnyResponse>();
    if (problem.statusCode === 503) (response.raw ?? response).setHeader('Retry-After', '5');
    send(response, problem.statusCode, problem);
  }
}

function problemOf(error: unknown): AdminProblem {
  if (error instanceof AdminError) return error.body;
  // Of a guard, for example.
  const status = error instanceof HttpException ? error.getStatus() : 500;
  if (status < 400 || status >= 500) {
    return { statusCode: 500, code: 'FAILED', message: 'this has failed; see the log' };
  }
  if (status === 404) return { statusCode: 404, code: 'NOT_FOUND', message: 'not found' };
  if (status === 401 || status === 403) {
    return { statusCode: status, code: 'FORBIDDEN', message: 'a guard has refused this' };
  }
  return { statusCode: status, code: 'BAD_REQUEST', message: 'this request was refused' };
}
