import type { OutcomeTable } from '../table.js';
import { keysOfCode as keysOf } from './code.js';

export const systemErrors: OutcomeTable = {
  client: 'Operating system',
  recognized: '`code` of libuv and of the resolver',
  source: 'https://docs.libuv.org/en/v1.x/errors.html',
  keysOf,
  rows: [
    {
      keys: [
        'ECONNREFUSED',
        'ECONNRESET',
        'ECONNABORTED',
        'ENOTCONN',
        'EPIPE',
        'EPROTO',
        'ESHUTDOWN',
        'ETIMEDOUT',
        'EOF',
      ],
      outcome: 'failure',
      meaning: 'the connection was refused, lost or not made in time',
    },
    {
      keys: [
        'EHOSTDOWN',
        'EHOSTUNREACH',
        'ENETDOWN',
        'ENETUNREACH',
        'ENONET',
        'EADDRNOTAVAIL',
        'EAFNOSUPPORT',
        'EACCES',
        'EPERM',
      ],
      outcome: 'failure',
      meaning: 'the host cannot be reached, or a firewall blocks it',
    },
    {
      keys: [
        'EAI_AGAIN',
        'EAI_FAIL',
        'EAI_NODATA',
        'EAI_NONAME',
        'EAI_MEMORY',
        'ENODATA',
        'ENOTFOUND',
        'ENOTIMP',
        'EREFUSED',
        'ESERVFAIL',
        'ETIMEOUT',
        'EBADRESP',
        'EFORMERR',
      ],
      outcome: 'failure',
      meaning: 'the name of the host could not be resolved',
    },
    {
      keys: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN'],
      outcome: 'failure',
      meaning: 'too many connections or files are open, no memory',
    },
  ],
};

export const nodeErrors: OutcomeTable = {
  client: 'Node: network',
  recognized: '`code`',
  source: 'https://nodejs.org/api/errors.html#nodejs-error-codes',
  keysOf,
  rows: [
    {
      keys: [
        'ERR_SOCKET_CLOSED',
        'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
        'ERR_SOCKET_CONNECTION_TIMEOUT',
        'ERR_STREAM_PREMATURE_CLOSE',
        'ERR_PROXY_TUNNEL',
      ],
      outcome: 'failure',
      meaning: 'the connection was lost or not made in time',
    },
    {
      keys: [
        'ERR_HTTP2_ERROR',
        'ERR_HTTP2_GOAWAY_SESSION',
        'ERR_HTTP2_INVALID_SESSION',
        'ERR_HTTP2_MAX_PENDING_SETTINGS_ACK',
        'ERR_HTTP2_PING_CANCEL',
        'ERR_HTTP2_SESSION_ERROR',
        'ERR_HTTP2_STREAM_CANCEL',
        'ERR_HTTP2_STREAM_ERROR',
        'ERR_HTTP2_TOO_MANY_INVALID_FRAMES',
      ],
      outcome: 'failure',
      meaning: 'an HTTP/2 session or stream has ended',
    },
    { keys: ['HPE_…'], outcome: 'failure', meaning: 'an answer that is not HTTP (llhttp)' },
    {
      keys: ['Z_BUF_ERROR', 'Z_DATA_ERROR', 'Z_STREAM_ERROR'],
      outcome: 'failure',
      meaning: 'an answer that cannot be decompressed',
    },
  ],
};

export const tlsErrors: OutcomeTable = {
  client: 'TLS',
  recognized: '`code` of OpenSSL and Node',
  source: 'https://nodejs.org/api/tls.html#x509-certificate-error-codes',
  keysOf,
  rows: [
    {
      keys: [
        'UNABLE_TO_GET_ISSUER_CERT',
        'UNABLE_TO_GET_CRL',
        'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
        'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
        'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
        'CERT_SIGNATURE_FAILURE',
        'CRL_SIGNATURE_FAILURE',
        'CERT_NOT_YET_VALID',
        'CERT_HAS_EXPIRED',
        'CRL_NOT_YET_VALID',
        'CRL_HAS_EXPIRED',
        'ERROR_IN_CERT_NOT_BEFORE_FIELD',
        'ERROR_IN_CERT_NOT_AFTER_FIELD',
        'ERROR_IN_CRL_LAST_UPDATE_FIELD',
        'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
        'OUT_OF_MEM',
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'SELF_SIGNED_CERT_IN_CHAIN',
        'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'CERT_CHAIN_TOO_LONG',
        'CERT_REVOKED',
        'INVALID_CA',
        'PATH_LENGTH_EXCEEDED',
        'INVALID_PURPOSE',
        'CERT_UNTRUSTED',
        'CERT_REJECTED',
        'HOSTNAME_MISMATCH',
        'ERR_TLS_CERT_ALTNAME_INVALID',
        'ERR_TLS_CERT_ALTNAME_FORMAT',
      ],
      outcome: 'failure',
      meaning: 'the certificate was not accepted',
    },
    {
      keys: [
        'ERR_SSL_…',
        'ERR_TLS_HANDSHAKE_TIMEOUT',
        'ERR_TLS_SESSION_ATTACK',
        'ERR_TLS_DH_PARAM_SIZE',
        'ERR_TLS_RENEGOTIATION_DISABLED',
      ],
      outcome: 'failure',
      meaning: 'the handshake has failed',
    },
  ],
};

export const undiciErrors: OutcomeTable = {
  client: 'undici, `fetch`',
  recognized: '`code`',
  source: 'https://github.com/nodejs/undici/blob/main/docs/docs/api/Errors.md',
  keysOf,
  rows: [
    {
      keys: ['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'],
      outcome: 'failure',
      meaning: 'not in time',
    },
    {
      keys: [
        'UND_ERR_SOCKET',
        'UND_ERR_PRX_TLS',
        'UND_ERR_SOCKS5…',
        'UND_ERR_REQ_RETRY',
        'UND_ERR_INFO',
      ],
      outcome: 'failure',
      meaning: 'the connection was lost',
    },
    {
      keys: [
        'UND_ERR_HEADERS_OVERFLOW',
        'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
        'UND_ERR_RES_EXCEEDED_MAX_SIZE',
        'UND_ERR_WS_MESSAGE_SIZE_EXCEEDED',
      ],
      outcome: 'failure',
      meaning: 'an answer that is too long, or not as long as it says',
    },
    {
      keys: [
        'UND_ERR_ABORT',
        'UND_ERR_ABORTED',
        'UND_ERR_CLOSED',
        'UND_ERR_DESTROYED',
        'UND_ERR_BPL_MISSING_UPSTREAM',
        'UND_ERR_MAX_ORIGINS_REACHED',
      ],
      outcome: 'failure',
      meaning: 'given up by the client without a request of the caller; no usable connection',
    },
  ],
};

/** All tables of network error codes. */
export const networkTables = [systemErrors, nodeErrors, tlsErrors, undiciErrors] as const;
