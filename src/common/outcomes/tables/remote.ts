import { isResilienceError } from '../../errors.js';
import { look, lookForText } from '../look.js';
import { payloadOf } from '../payload.js';
import type { OutcomeTable } from '../table.js';

export const remote: OutcomeTable = {
  client: 'nest-resilience in another service',
  recognized: '`code`, also inside `RpcException`, `WsException` and `extensions`',
  source: 'errors.md',
  keysOf: (error) =>
    isResilienceError(error)
      ? []
      : [error, payloadOf(error), look(error, 'extensions')]
          .map((carrier) => lookForText(carrier, 'code'))
          .filter((code) => code !== undefined),
  rows: [
    {
      keys: ['CIRCUIT_OPEN', 'BULKHEAD_FULL', 'RATE_LIMITED', 'TIMEOUT'],
      outcome: 'failure',
      meaning: 'the other service has rejected the call; `retryAfterMs` is honoured',
    },
  ],
};
