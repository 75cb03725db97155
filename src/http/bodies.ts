import { look } from '../common/outcomes/look.js';

/** A stream of Node, or of the web. */
export function isStream(body: unknown): body is object {
  return ['pipe', 'getReader'].some((member) => typeof look(body, member) === 'function');
}

/** Frees the connection of a body that nobody will read. */
export function discardBody(body: unknown): void {
  const destroy = look(body, 'destroy');
  if (typeof destroy === 'function') return void Reflect.apply(destroy, body, []);
  // One that somebody reads already is rejected, and left to its reader.
  if (body instanceof ReadableStream) body.cancel().catch(() => {});
}
