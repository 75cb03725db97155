import { type AddressInfo, createServer } from 'node:net';
import { type IncomingHttpHeaders, type IncomingMessage, get } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A GET that the test can abort, like a client that goes away. */
export interface Request {
  /** Rejects when the request was aborted. */
  readonly answer: Promise<Answer>;
  /** Resolves when a part of the body has arrived that is not white space. */
  readonly begun: Promise<string>;
  disconnect(): void;
}

export function request(url: string): Request {
  let begin!: (chunk: string) => void;
  const begun = new Promise<string>((resolve) => (begin = resolve));
  let message: IncomingMessage | undefined;
  const client = get(url, { agent: false });
  const answer = new Promise<Answer>((resolve, reject) => {
    client.once('error', reject);
    client.once('response', (response) => {
      message = response;
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (/\S/.test(body)) begin(body);
      });
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
  });
  answer.catch(() => {}); // a test that disconnects does not await it
  return {
    answer,
    begun,
    disconnect: () => (message ?? client).destroy(),
  };
}

/** A port of the loopback interface without a listener. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
