import { Readable } from 'node:stream';
import { types } from 'node:util';
import { StreamableFile } from '@nestjs/common';
import { discardBody } from '../../common/bodies.js';
import { look } from '../../common/outcomes/look.js';
import { quietly } from '../../common/quietly.js';
import type { Call } from '../../pipeline/call.js';
import type { ErrorMapper } from './error-mapper.js';
import { beginFile, sourceOf } from './files.js';
import { type IteratorHead, firstItemOf, resume } from './iterators.js';
import { WebItems, responseWith, streamOf } from './web-streams.js';

// Async generators and web streams that handlers answer with. Policies cover them up to the first item.

/** Begins an answer that is a stream; returns any other as it is. */
type Opener = (answer: unknown, call: Call) => unknown;

/** How answers of a transport begin; `undefined` for transports that do not send streams. */
export function openerFor(transport: string): Opener | undefined {
  if (transport === 'http') return openAnswer;
  return transport === 'graphql' ? openSubscription : undefined;
}

function openAnswer(answer: unknown, call: Call): unknown {
  if (typeof answer !== 'object' || answer === null || types.isProxy(answer)) return answer;
  const whole = isResponse(answer) ? answer : undefined;
  const stream: unknown = whole === undefined ? answer : look(whole, 'body');
  if (stream instanceof ReadableStream) {
    if (stream.locked) return answer; // sending it reports the error
    if (!call.interrupted) return firstItemOf(new WebItems(stream), call, whole);
  } else if (whole === undefined && isIterable(answer)) return begin(answer, call);
  else if (answer instanceof StreamableFile && !call.interrupted) return beginFile(answer, call);
  if (call.interrupted) discardAnswer(answer); // between the answer and its beginning
  return answer;
}

/**
 * Ends the source of an answer that will not be read: a file, the body of another server's answer.
 * Never throws.
 */
export function discardAnswer(answer: unknown): void {
  quietly(() => discard(answer));
}

function discard(answer: unknown): void {
  if (typeof answer !== 'object' || answer === null || types.isProxy(answer)) return;
  const source = answer instanceof StreamableFile ? sourceOf(answer) : answer;
  if (source === undefined) return;
  const stream: unknown = isResponse(source) ? look(source, 'body') : source;
  // Other objects may have a `destroy()` of another kind.
  if (stream instanceof ReadableStream || stream instanceof Readable) discardBody(stream);
}

/**
 * Begins a generator. Any other iterator of a subscription waits for events from elsewhere, which may take long: for it,
 * existing is success.
 */
function openSubscription(answer: unknown, call: Call): unknown {
  return types.isGeneratorObject(answer) && isIterable(answer) ? begin(answer, call) : answer;
}

/** A generator that has not begun holds nothing. */
function begin(answer: object, call: Call): unknown {
  if (call.interrupted) return undefined; // between the answer and its beginning
  return firstItemOf(answer as AsyncIterable<unknown>, call);
}

/** Also true for a `Response` of another copy of undici. Called for each answer, so it has to be cheap. */
function isResponse(answer: object): answer is Response {
  return look(answer, Symbol.toStringTag) === 'Response';
}

/** Async generators and other async iterables; not Node's streams, which platforms send by themselves, nor queries. */
function isIterable(answer: object): boolean {
  if (types.isProxy(answer)) return false;
  if (typeof look(answer, Symbol.asyncIterator) !== 'function') return false;
  return typeof look(answer, 'pipe') !== 'function' && typeof look(answer, 'then') !== 'function';
}

/**
 * An answer that has begun, in the form that Nest sends.
 *
 * @param mapError maps an error to the one that the reader gets
 */
export function sendable(head: IteratorHead, mapError: ErrorMapper): unknown {
  const rest = resume(head, mapError);
  if (!(head.iterator instanceof WebItems)) return rest;
  const stream = streamOf(rest);
  return head.whole === undefined ? stream : responseWith(stream, head.whole as Response);
}
