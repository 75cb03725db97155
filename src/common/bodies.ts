import { Readable } from 'node:stream';
import { ask, look } from './outcomes/look.js';

/** A stream of Node, or of the web. */
export function isStreamBody(body: unknown): body is object {
  return ['pipe', 'getReader'].some((member) => typeof look(body, member) === 'function');
}

/** Frees what a stream reads from, such as a connection or a file, when nobody will read it. */
export function discardBody(body: unknown): void {
  ask(() => {
    const stream = body as Partial<NodeJS.ReadableStream & ReadableStream> & { destroy?(): void };
    if (typeof stream.destroy === 'function') {
      stream.once?.('error', () => {}); // of a connection or a file that is still being opened
      stream.destroy();
    } else if (typeof stream.cancel === 'function') {
      // One that somebody reads already is rejected, and left to its reader.
      stream.cancel().catch(() => {});
    }
  }, undefined);
}

/** Whether an argument is a stream that has been read, or holds one, such as the body in the input of a command. */
export function holdsReadStream(argument: unknown, depth = 2): boolean {
  if (typeof argument !== 'object' || argument === null) return false;
  return ask(() => {
    if (Readable.isDisturbed(argument as Readable)) return true;
    if (depth === 0 || isStreamBody(argument) || ArrayBuffer.isView(argument)) return false;
    return Object.values(argument).some((value) => holdsReadStream(value, depth - 1));
  }, false);
}
