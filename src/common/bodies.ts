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

/** The names under which a request of Node is a body to be sent on. Under any other name it is the context of a call. */
const BODY = /^(body|data|file|stream)$/i;

/** Inputs of commands have fewer members; a table of data may have a million. */
const MOST_MEMBERS = 50;

/**
 * Whether an argument is a stream that has been read, or holds one, such as the body in the input of a command. Lists are
 * not looked into, and no getter is called.
 *
 * @param key its name in the object that holds it
 */
export function holdsReadStream(argument: unknown, key = '', depth = 2): boolean {
  if (typeof argument !== 'object' || argument === null) return false;
  return ask(() => {
    if (Readable.isDisturbed(argument as Readable)) return !isRequest(argument) || BODY.test(key);
    if (depth === 0 || isStreamBody(argument)) return false;
    if (Array.isArray(argument) || ArrayBuffer.isView(argument)) return false;
    return Object.keys(argument)
      .slice(0, MOST_MEMBERS)
      .some((member) => {
        const held: unknown = Object.getOwnPropertyDescriptor(argument, member)?.value;
        return holdsReadStream(held, member, depth - 1);
      });
  }, false);
}

function isRequest(stream: object): boolean {
  return typeof look(stream, 'httpVersion') === 'string';
}
