import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isPlainObject } from '../../common/objects.js';
import { AdminError } from '../admin-error.js';

/** The longest body of a change, bytes. */
const LONGEST = 16_384;

/** Express' request, or Fastify's, which has Node's in `raw`. */
export interface AnyRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body?: unknown;
  readonly raw?: IncomingMessage;
}

/**
 * The body of a change, whether the application has parsed it or not.
 *
 * @throws {AdminError} when it is not JSON, too long, or not an object
 */
export async function bodyOf(request: AnyRequest): Promise<Record<string, unknown>> {
  const { headers } = request;
  // Forms on other sites can send other types without a preflight request.
  if (!/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) {
    throw new AdminError(415, 'NOT_JSON', 'send application/json');
  }
  if (Number(headers['content-length'] ?? 0) > LONGEST) throw tooLarge();
  const body = parsedOf(request.body) ?? (await read(request.raw ?? (request as IncomingMessage)));
  if (!isPlainObject(body)) throw new AdminError(400, 'BAD_REQUEST', 'the body: use an object');
  if (lengthOf(body) > LONGEST) throw tooLarge();
  return body;
}

function lengthOf(body: object): number {
  try {
    return JSON.stringify(body).length;
  } catch {
    throw new AdminError(400, 'BAD_REQUEST', 'the body cannot be read as JSON');
  }
}

/** The body as a parser of the application left it; `undefined` when there was none. */
function parsedOf(body: unknown): unknown {
  if (typeof body === 'string') return parse(body);
  if (Buffer.isBuffer(body)) return parse(body.toString());
  return body ?? undefined;
}

async function read(message: IncomingMessage): Promise<unknown> {
  if (message.headers['content-encoding'] !== undefined) {
    throw new AdminError(415, 'NOT_JSON', 'send it without a content encoding');
  }
  if (message.readableEnded || typeof message[Symbol.asyncIterator] !== 'function') {
    throw new AdminError(400, 'BAD_REQUEST', 'the body: use an object');
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LONGEST) throw tooLarge();
    chunks.push(chunk);
  }
  return parse(Buffer.concat(chunks).toString());
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new AdminError(400, 'BAD_REQUEST', 'the body is not valid JSON');
  }
}

function tooLarge(): AdminError {
  return new AdminError(413, 'TOO_LARGE', `the body: at most ${LONGEST} bytes`);
}
