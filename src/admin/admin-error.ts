import { HttpException } from '@nestjs/common';
import type { AdminProblem } from './contract.js';

/** The error answer to a request. It contains no part of the request. */
export class AdminError extends HttpException {
  readonly body: AdminProblem;

  constructor(
    statusCode: number,
    code: AdminProblem['code'],
    message: string,
    problems?: readonly string[],
  ) {
    super(message, statusCode);
    this.body = { statusCode, code, message, ...(problems !== undefined && { problems }) };
  }
}
