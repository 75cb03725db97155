import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import { ask } from '../../common/outcomes/look.js';
import { quietly } from '../../common/quietly.js';
import type { Call } from '../../pipeline/call.js';

// Files that handlers answer with. Policies cover them up to their first bytes.

/** A call that may have a file as its result. */
export interface FileCall extends Call {
  /** The latest file that its handler has answered with, which may break after its beginning. */
  file?: object | undefined;
  /** Whether the answer has no body: Nest 11 waits by itself for the beginning of its file, once more. */
  readonly isBodiless?: boolean;
}

/** The source that a file is read from. Never throws. */
export function sourceOf(file: StreamableFile): object | undefined {
  return ask(() => file.getStream(), undefined);
}

/** Begins a file; one that is in memory has begun already. */
export function beginFile(file: StreamableFile, call: FileCall): unknown {
  // A class of the application may open another stream at each call.
  if (ask(() => file.getStream !== StreamableFile.prototype.getStream, true)) return file;
  const source = sourceOf(file);
  if (!(source instanceof Readable)) return file;
  if (source.errored) return Promise.reject(source.errored);
  if (source.destroyed && !source.readableEnded) return Promise.reject(closedTooSoon());
  const isOpen = source.readableLength === 0 && !source.readableEnded && !source.destroyed;
  // Reading an empty one would end it before Nest sends it, and listening to one that is being read would stop it.
  const waits =
    isOpen &&
    !call.isBodiless &&
    source.readableFlowing === null &&
    ask(() => file.getHeaders().length !== 0, false);
  call.file = file;
  if (!waits) {
    source.on('error', (error) => breakOff(file, error, call));
    return file;
  }
  return firstBytesOf(file, source, call);
}

function firstBytesOf(file: StreamableFile, source: Readable, call: FileCall): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stoppable = { stop: () => quietly(() => source.destroy()) };
    const begun = (): void => {
      source.off('readable', begun).off('end', begun).off('close', closed);
      if (call.stoppable === stoppable) call.stoppable = undefined;
      resolve(file);
    };
    const closed = (): void => {
      reject(closedTooSoon());
      begun();
    };
    source.on('readable', begun).on('end', begun).on('close', closed);
    // Stays, so that an error between here and the answer does not end the process.
    source.on('error', (error) => {
      reject(error);
      breakOff(file, error, call);
    });
    call.stoppable = stoppable;
  });
}

/** The same error as from Node's `finished()`. Sending such a file would leave the client waiting. */
function closedTooSoon(): Error {
  const code = 'ERR_STREAM_PREMATURE_CLOSE';
  return Object.assign(new Error('the file was closed before its first bytes'), { code });
}

/** A file that another answer has replaced is ignored when it breaks. */
function breakOff(file: object, error: unknown, call: FileCall): void {
  if (call.file === file && call.value === file) call.breakOff(error);
}
