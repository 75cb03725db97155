import { type AnyResponse, takeOver } from '../common/event-stream/response.js';

/**
 * Sends JSON unchanged, and not through Nest, so that no interceptor of the application changes or stores it. An answer that
 * has begun already is left alone.
 */
export function send(response: AnyResponse, status: number, body: object): void {
  const sent = (response as { readonly sent?: boolean }).sent === true;
  if (sent || (response.raw ?? response).headersSent) return;
  const raw = takeOver(response);
  const text = JSON.stringify(body);
  raw.setHeader('Content-Type', 'application/json; charset=utf-8');
  raw.setHeader('Content-Length', Buffer.byteLength(text));
  raw.statusCode = status;
  raw.end(text);
}
