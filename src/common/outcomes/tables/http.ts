import { statusOf } from '../status.js';
import type { OutcomeTable } from '../table.js';

export const http: OutcomeTable = {
  client: 'HTTP',
  recognized:
    '`getStatus()` (Nest), `response.status`, `response.statusCode`, `status`, `statusCode`, `$metadata.httpStatusCode` (AWS SDK v3); also inside `RpcException` and `WsException` (there `code` too), `extensions.http.status` and `originalError` of `GraphQLError`',
  source: 'https://www.rfc-editor.org/rfc/rfc9110#section-15',
  keysOf: (error) => {
    const status = statusOf(error);
    return status === undefined ? [] : [status, `${Math.floor(status / 100)}xx`];
  },
  rows: [
    { keys: [408], outcome: 'failure', meaning: 'request timeout' },
    { keys: [425], outcome: 'failure', meaning: 'too early' },
    { keys: [429], outcome: 'failure', meaning: 'too many requests' },
    { keys: ['3xx', '4xx'], outcome: 'success', meaning: 'an answer to this request' },
    { keys: ['5xx'], outcome: 'failure', meaning: 'the server has failed' },
  ],
};
