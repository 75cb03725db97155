import type { OutcomeTable } from '../table.js';
import { keysOfCode } from './code.js';

/** Codes of requests that were wrong before they were sent, whatever the class of the error. */
export const programmer: OutcomeTable = {
  client: 'Node, undici, axios: wrong use',
  recognized: '`code`',
  source: 'https://nodejs.org/api/errors.html#nodejs-error-codes',
  keysOf: keysOfCode,
  rows: [
    {
      keys: [
        'ERR_INVALID_URL',
        'ERR_INVALID_URL_SCHEME',
        'ERR_INVALID_PROTOCOL',
        'ERR_UNESCAPED_CHARACTERS',
        'ERR_UNSUPPORTED_PROTOCOL',
      ],
      outcome: 'ignored',
      meaning: 'not a URL, or not one for this client',
    },
    {
      keys: [
        'ERR_INVALID_ARG_TYPE',
        'ERR_INVALID_ARG_VALUE',
        'ERR_INVALID_OPT_VALUE',
        'ERR_MISSING_ARGS',
        'ERR_OUT_OF_RANGE',
        'ERR_SOCKET_BAD_PORT',
        'ERR_INVALID_THIS',
        'ERR_ILLEGAL_CONSTRUCTOR',
        'ERR_BAD_OPTION',
        'ERR_BAD_OPTION_VALUE',
        'UND_ERR_INVALID_ARG',
        'UND_ERR_INVALID_RETURN_VALUE',
        'UND_ERR_NOT_SUPPORTED',
      ],
      outcome: 'ignored',
      meaning: 'a wrong argument or option',
    },
    {
      keys: [
        'ERR_INVALID_CHAR',
        'ERR_INVALID_HTTP_TOKEN',
        'ERR_HTTP_INVALID_HEADER_VALUE',
        'ERR_HTTP_HEADERS_SENT',
        'ERR_HTTP_CONTENT_LENGTH_MISMATCH',
        'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
      ],
      outcome: 'ignored',
      meaning: 'a wrong header or length of the request',
    },
    {
      // With a status, the status has decided.
      keys: ['ERR_BAD_REQUEST', 'ERR_NOT_SUPPORT', 'ERR_FR_MAX_BODY_LENGTH_EXCEEDED'],
      outcome: 'ignored',
      meaning: 'a request that axios cannot send, such as one beyond `maxBodyLength`',
    },
    {
      keys: [
        'ERR_TLS_INVALID_PROTOCOL_VERSION',
        'ERR_TLS_PROTOCOL_VERSION_CONFLICT',
        'ERR_TLS_INVALID_CONTEXT',
        'ERR_TLS_INVALID_PROTOCOL_METHOD',
      ],
      outcome: 'ignored',
      meaning: 'wrong options of TLS',
    },
  ],
};
