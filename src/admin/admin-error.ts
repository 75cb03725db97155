import { HttpException } from '@nestjs/common';
import type { AdminProblem } from './contract.js';

/** A request that is not answered as it was meant. Nothing of the request is in it. */
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
