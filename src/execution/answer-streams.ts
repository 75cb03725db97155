import { types } from 'node:util';
import { look } from '../common/outcomes/look.js';
import type { Call } from '../pipeline/call.js';
import { firstItemOf, resume } from './iterators.js';

// Async generators and web streams that handlers answer with. Policies cover them up to the first item.

/** Calls whose answer was a web stream, so that it becomes one again. */
const web = new WeakSet<Call>();

/** Begins an answer that is a stream; returns any other as it is. */
type Opener = (answer: unknown, call: Call) => unknown;

/** How answers of a transport begin; `undefined` for transports that do not send streams. */
export function openerFor(transport: string): Opener | undefined {
  if (transport === 'http') return openAnswer;
  return transport === 'graphql' ? openSubscription : undefined;
}

function openAnswer(answer: unknown, call: Call): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  const isWeb = answer instanceof ReadableStream && !answer.locked;
  if (!isWeb && !isIterable(answer)) return answer;
  if (call.interrupted) return drop(answer); // between the answer and its beginning
  if (isWeb) web.add(call);
  return firstItemOf(answer as AsyncIterable<unknown>, call);
}

/**
 * Begins a generator. Any other iterator of a subscription waits for events of others, which may be quiet for long: that it
 * is there is its success.
 */
function openSubscription(answer: unknown, call: Call): unknown {
  if (!types.isGeneratorObject(answer) || !isIterable(answer)) return answer;
  return call.interrupted
    ? drop(answer)
    : firstItemOf(answer as unknown as AsyncIterable<unknown>, call);
}

/** Ends a stream that has not begun. A generator that has not begun holds nothing. */
function drop(answer: object): undefined {
  if (answer instanceof ReadableStream) answer.cancel().catch(() => {});
  return undefined;
}

/** Async generators, and iterables of other makes; not Node's streams, which platforms send by themselves, nor queries. */
function isIterable(answer: object): boolean {
  if (types.isProxy(answer)) return false;
  if (typeof look(answer, Symbol.asyncIterator) !== 'function') return false;
  return typeof look(answer, 'pipe') !== 'function' && typeof look(answer, 'then') !== 'function';
}

/** An answer that has begun, in the form that Nest sends. */
export function sendable(head: unknown, call: Call): unknown {
  const iterator = resume(head);
  if (!web.has(call)) return iterator;
  return new ReadableStream<unknown>(
    {
      pull: async (controller) => {
        const { value, done } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
