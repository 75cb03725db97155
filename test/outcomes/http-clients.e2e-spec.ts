import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { getSystemErrorMap } from 'node:util';
import { NotFoundException, ServiceUnavailableException } from '@nestjs/common';
import axios from 'axios';
import got from 'got';
import ky from 'ky';
import superagent from 'superagent';
import * as undici from 'undici';
import { isFailure } from '../../src/index.js';
import { defaultOutcome } from '../../src/common/outcomes/default-outcome.js';
import { retryAfterOf } from '../../src/common/outcomes/retry-after.js';
import { closeServers, closedPort, errorOf, everyKeyOf, listen } from './support.js';

// A certificate that is refused; the key is not a secret.
const KEY = `
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2PQR1/Upz+gZ9R/9
0qqtno1cO1loSP3pS5urYaVN4sWhRANCAAREILGB0HGvypCMVJYxLOsX1ZoENhGp
2X4cj2484D8D2cV4SgP3ee5fC2omtFOg4LRv0gh480m9vFaPRhiIo4Xs
-----END PRIVATE KEY-----
`;
const CERTIFICATE = `
-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUPzJDHOaKZ1C9RZcFsXSqlwmYU4YwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODA4MTA1M1oYDzIxMjYxMTA0
MDgxMDUzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAREILGB0HGvypCMVJYxLOsX1ZoENhGp2X4cj2484D8D2cV4SgP3ee5f
C2omtFOg4LRv0gh480m9vFaPRhiIo4Xso1MwUTAdBgNVHQ4EFgQUqtClJT8IHPNC
2LU5lUD/yA2eBXcwHwYDVR0jBBgwFoAUqtClJT8IHPNC2LU5lUD/yA2eBXcwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAhhKbyThhzI3WxPqalLr9
sMHv9vFPQw6GaEE2+9jUhO0CIAhD/FICqUCZ7OmNzAdpppiUqjOeOWA240pk/dG9
/dbp
-----END CERTIFICATE-----
`;

type Client = (url: string, signal?: AbortSignal) => Promise<unknown>;

const throwing = new undici.Agent().compose(undici.interceptors.responseError());

const clients: Readonly<Record<string, Client>> = {
  axios: (url, signal) => axios.get(url, { signal }),
  got: (url, signal) => got(url, { retry: { limit: 0 }, ...(signal && { signal }) }),
  ky: (url, signal) => ky(url, { retry: 0, ...(signal && { signal }) }),
  superagent: (url) => superagent.get(url),
  undici: (url, signal) => undici.request(url, { dispatcher: throwing, signal }),
};

const withSignals = Object.keys(clients).filter((name) => name !== 'superagent');

/** `/404` is answered with 404, `/hang` never, `/cut` with half an answer. */
function answer({ url }: IncomingMessage, response: ServerResponse): void {
  if (url === '/hang') return;
  if (url === '/cut') {
    response.writeHead(200, { 'content-length': '10' }).write('half', () => response.destroy());
    return;
  }
  response.writeHead(Number(url?.slice(1)), { 'retry-after': '7' }).end('{}');
}

describe('the outcome of errors of HTTP clients', () => {
  let url = '';
  let closed = '';

  beforeAll(async () => {
    url = `http://127.0.0.1:${await listen(createServer(answer))}`;
    closed = `http://127.0.0.1:${await closedPort()}`;
  });

  afterAll(async () => {
    await throwing.destroy();
    await closeServers();
  });

  describe.each(Object.entries(clients))('%s', (_name, get) => {
    it.each([
      [304, 'success'],
      [400, 'success'],
      [401, 'success'],
      [404, 'success'],
      [409, 'success'],
      [422, 'success'],
      [408, 'failure'],
      [425, 'failure'],
      [429, 'failure'],
      [500, 'failure'],
      [503, 'failure'],
    ])('of the status %p is %s', async (status, outcome) => {
      if (status === 304 && (get === clients.got || get === clients.undici)) return; // a result
      expect(defaultOutcome(await errorOf(() => get(`${url}/${status}`)))).toBe(outcome);
    });

    it('carries Retry-After', async () => {
      expect(retryAfterOf(await errorOf(() => get(`${url}/503`)), Date.now())).toBe(7_000);
    });

    it('of a refused connection is a failure', async () => {
      expect(defaultOutcome(await errorOf(() => get(closed)))).toBe('failure');
    });

    it('of an answer that ends too early is a failure', async () => {
      const body = async (): Promise<unknown> => {
        const response = (await get(`${url}/cut`)) as Response & undici.Dispatcher.ResponseData;
        return response.body?.text?.() ?? response.text();
      };
      expect(defaultOutcome(await errorOf(body))).toBe('failure');
    });
  });

  it.each(withSignals)('of a client’s own timeout by a signal is a failure: %s', async (name) => {
    const get = clients[name]!;
    const byHand = new AbortController();
    setTimeout(() => byHand.abort(), 5);
    for (const signal of [AbortSignal.timeout(5), byHand.signal]) {
      expect(defaultOutcome(await errorOf(() => get(`${url}/hang`, signal)))).toBe('failure');
    }
  });

  it('of a timeout of fetch is a failure, however it is made', async () => {
    const byHand = new AbortController();
    setTimeout(() => byHand.abort(), 5);
    for (const signal of [AbortSignal.timeout(5), byHand.signal]) {
      expect(isFailure(await errorOf(() => fetch(`${url}/hang`, { signal })))).toBe(true);
    }
  });

  it.each<[string, () => unknown]>([
    ['fetch', () => fetch('not a url')],
    ['fetch, of another scheme', () => fetch('gopher://127.0.0.1/')],
    ['fetch, of a forbidden port', () => fetch('http://127.0.0.1:1/')],
    ['axios', () => axios.get('http://')],
    ['got', () => got('not a url', { retry: { limit: 0 } })],
    ['ky', () => ky('not a url')],
    ['undici', () => undici.request('not a url')],
    ['undici, of another scheme', () => undici.request('gopher://127.0.0.1/')],
    ['URL', () => new URL('not a url')],
  ])('of an invalid URL is ignored: %s', async (_name, ask) => {
    expect(defaultOutcome(await errorOf(ask))).toBe('ignored');
  });

  it.each<[string, string]>([
    ['not HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a broken header', 'HTTP/1.1 200 OK\r\nno header\r\n\r\n'],
    ['nothing', ''],
  ])('of an answer that is %s is a failure', async (_what, bytes) => {
    const port = await listen(createTcpServer((socket) => socket.on('error', () => {}).end(bytes)));
    for (const ask of [fetch, ...Object.values(clients)]) {
      const error = await errorOf(() => ask(`http://127.0.0.1:${port}`));
      expect(defaultOutcome(error)).toBe('failure');
    }
  });

  it('of a self-signed certificate is a failure', async () => {
    const port = await listen(createTlsServer({ key: KEY, cert: CERTIFICATE }, answer));
    for (const ask of [fetch, ...Object.values(clients)]) {
      const error = await errorOf(() => ask(`https://localhost:${port}/404`));
      expect(defaultOutcome(error)).toBe('failure');
    }
  });

  it('of a server that does not speak TLS is a failure', async () => {
    for (const ask of [fetch, ...Object.values(clients)]) {
      const error = await errorOf(() => ask(url.replace('http:', 'https:')));
      expect(defaultOutcome(error)).toBe('failure');
    }
  });

  it('of a host that does not exist is a failure', async () => {
    for (const ask of [fetch, clients.axios!, clients.got!]) {
      expect(defaultOutcome(await errorOf(() => ask('http://host.invalid/')))).toBe('failure');
    }
  });

  it('of several addresses without an answer is a failure: an AggregateError', async () => {
    const error = await errorOf(() => fetch(closed.replace('127.0.0.1', 'localhost')));
    expect(defaultOutcome(error)).toBe('failure');
  });

  it('of invalid JSON is a failure', () => {
    expect(isFailure(new SyntaxError('Unexpected token <'))).toBe(true);
  });

  it('of Nest’s exceptions follows their status', () => {
    expect(defaultOutcome(new NotFoundException())).toBe('success');
    expect(defaultOutcome(new ServiceUnavailableException())).toBe('failure');
  });
});

describe('the outcome of codes', () => {
  const withCode = (code: unknown): Error => Object.assign(new Error('x'), { code });
  const example = (key: unknown): string => String(key).replace('…', 'EXAMPLE');

  describe.each(['Operating system', 'Node: network', 'TLS', 'undici, `fetch`'])(
    'of %s',
    (from) => {
      it.each(everyKeyOf(from))(
        '%s is a %s, as the cause of "fetch failed" too',
        (key, outcome) => {
          const error = withCode(example(key));
          expect(defaultOutcome(error)).toBe(outcome);
          expect(defaultOutcome(new TypeError('fetch failed', { cause: error }))).toBe(outcome);
          const aggregate = new AggregateError([new Error('other'), error]);
          expect(defaultOutcome(new TypeError('fetch failed', { cause: aggregate }))).toBe(outcome);
        },
      );
    },
  );

  it.each(everyKeyOf('Node, undici, axios: wrong use'))('%s is %s', (key, outcome) => {
    expect(defaultOutcome(withCode(key))).toBe(outcome);
    expect(defaultOutcome(new TypeError('x', { cause: withCode(key) }))).toBe(outcome);
  });

  it('of the system are those of Node or of its resolver', async () => {
    const dns = await import('node:dns');
    const known = new Set([
      ...[...getSystemErrorMap().values()].map(([name]) => name),
      ...Object.values(dns).filter((value) => typeof value === 'string'),
      'EAI_AGAIN',
      'EAI_FAIL',
      'EAI_NODATA',
      'EAI_NONAME',
      'EAI_MEMORY',
    ]);
    expect(everyKeyOf('Operating system').filter(([key]) => !known.has(String(key)))).toEqual([]);
  });

  it('of undici are those of its own errors', () => {
    const made = Object.values(undici.errors).map((type) =>
      errorCode(() => new (type as unknown as new (...args: unknown[]) => Error)('x', 500, {})),
    );
    const known = [
      ...everyKeyOf('undici, `fetch`'),
      ...everyKeyOf('Node, undici, axios: wrong use'),
    ];
    const keys = new Set(known.map(([key]) => key));
    const unknown = made.filter((code) => typeof code === 'string' && !keys.has(code));
    // The base, one that carries a status, and one of the family HPE_….
    expect(new Set(unknown)).toEqual(new Set(['UND_ERR', 'UND_ERR_RESPONSE', 'HPE_500']));
  });
});

function errorCode(make: () => Error): unknown {
  try {
    return (make() as Error & { code?: unknown }).code;
  } catch {
    return undefined;
  }
}
