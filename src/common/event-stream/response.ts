import type { ServerResponse } from 'node:http';
import { isCutOff, whenCutOff } from '../queued-responses.js';

/** The head of a stream of server-sent events. */
export const STREAM_HEAD = {
  'Content-Type': 'text/event-stream;charset=UTF-8',
  // no-transform: a compressing middleware would buffer the events.
  'Cache-Control': 'no-cache, no-store, max-age=0, must-revalidate, no-transform',
  Pragma: 'no-cache',
  'X-Accel-Buffering': 'no',
};

/** Express' response, which is Node's own, or Fastify's reply, which has Node's in `raw`. */
export type AnyResponse =
  | (ServerResponse & { readonly raw?: undefined })
  | {
      readonly raw: ServerResponse;
      hijack(): void;
      getHeaders(): ReturnType<ServerResponse['getHeaders']>;
    };

/** Takes Node's response over from Fastify, with the headers that were set so far, such as those for CORS. */
export function takeOver(response: AnyResponse): ServerResponse {
  if (response.raw === undefined) return response;
  response.hijack();
  for (const [name, value] of Object.entries(response.getHeaders())) {
    if (value !== undefined) response.raw.setHeader(name, value);
  }
  return response.raw;
}

/** Whether the client has gone. HTTP/2 responses do not set `destroyed`, but lose their socket. */
export function isGone(response: ServerResponse): boolean {
  return response.destroyed || response.socket === undefined || isCutOff(response);
}

/** Calls `listener`, at least once, when a response that has not gone is complete, or its client goes. */
export function whenGone(response: ServerResponse, listener: () => void): void {
  response.once('close', listener);
  whenCutOff(response, listener);
}
