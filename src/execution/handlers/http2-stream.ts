import type { ServerHttp2Stream } from 'node:http2';
import { look } from '../../common/outcomes/look.js';

/** The part of an HTTP/2 stream that is used here. */
export type Http2Stream = Pick<
  ServerHttp2Stream,
  'aborted' | 'destroyed' | 'once' | 'writableFinished'
>;

/**
 * The HTTP/2 stream of a request or a response; `undefined` over HTTP/1, where middleware may have put anything there, including
 * streams of its own, which have no `aborted`.
 */
export function http2StreamOf(message: unknown): Http2Stream | undefined {
  const stream = look(message, 'stream');
  const is = typeof look(stream, 'once') === 'function' && look(stream, 'aborted') !== undefined;
  return is ? (stream as Http2Stream) : undefined;
}
