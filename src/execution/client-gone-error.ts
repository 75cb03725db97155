import { ResilienceError } from '../common/errors.js';

/** The client has closed its connection before the answer was complete. 499, code `CLIENT_GONE`; no client receives it. */
export class ClientGoneError extends ResilienceError {
  constructor(handler: string) {
    super({
      code: 'CLIENT_GONE',
      policy: 'interceptor',
      policyName: handler,
      status: 499,
      title: 'Client Closed Request',
      message: `the client of ${handler} has gone`,
    });
  }
}
