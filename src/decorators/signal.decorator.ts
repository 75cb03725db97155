import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import { whenCutOff } from '../common/queued-responses.js';
import { ClientGoneError } from '../execution/client-gone-error.js';
import { clientSignalOf } from '../execution/handlers/client-signals.js';
import { isOver, isSent, rawResponseOf } from '../execution/handlers/http-answer.js';
import { recordMisplaced, recordSignal } from '../execution/methods/records.js';
import { surplus } from './define.js';
import { isWithoutParentheses } from './without-parentheses.js';
import { callScope } from '../pipeline/call-scope.js';

/**
 * `unknown` for a parameter that may be given a signal; otherwise a type that says why no argument has it. Of an overloaded
 * method the compiler knows the last form alone, which may have no such parameter.
 */
type ForSignal<Method, Index extends number> = Method extends (...args: infer Parameters) => unknown
  ? AbortSignal extends Parameters[Index & keyof Parameters]
    ? unknown
    : [Parameters[Index & keyof Parameters]] extends [undefined]
      ? unknown
      : { readonly 'this parameter cannot be an AbortSignal': Parameters[Index & keyof Parameters] }
  : unknown;

/** A decorator of parameters that accept an `AbortSignal`. A private method is not checked. */
export type SignalDecorator = <
  Target extends object,
  Key extends string | symbol | undefined,
  Index extends number,
>(
  target: Target,
  key: Key,
  index: Index & (Key extends keyof Target ? ForSignal<Target[Key], Index> : unknown),
) => void;

/**
 * Marks the parameter that receives the call's `AbortSignal`: pass it to everything that the method waits for. It is
 * aborted when the attempt has run out of time, and when the caller has gone.
 *
 * Callers omit the argument, or pass a signal of their own, which then stops the call. On a handler the signal is aborted
 * when the client closes the connection (HTTP, WebSockets, GraphQL, gRPC), even without any policy; where the transport
 * cannot know that, it never is.
 *
 * Of an overloaded method, the compiler checks the last form, which has to take the signal, or no argument there at all.
 *
 * @example
 * async getBooks(\@Signal() signal?: AbortSignal): Promise<Book[]>
 */
export function Signal(): SignalDecorator;
export function Signal(...given: unknown[]): unknown {
  if (isWithoutParentheses('@Signal', given)) return undefined;
  const problem = surplus(given, 'write @Signal()');
  const fromRequest = HandlerSignal();
  return (target: object, key: string | symbol | undefined, index: number): void => {
    if (key === undefined)
      throw new Error('@Signal() is for parameters of methods, not of constructors');
    if (problem !== undefined) {
      const owner = typeof target === 'function' ? target : target.constructor;
      recordMisplaced(owner, { key, label: '@Signal', problem });
    }
    recordSignal(target, key, index);
    fromRequest(target, key, index);
  };
}

/** The parameter of a handler, which Nest fills in. */
const HandlerSignal = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const signal = callScope.getStore()?.handler?.signal;
  if (signal !== undefined) return signal;
  const response = rawResponseOf(context);
  const controller = new AbortController();
  if (response === undefined) return clientSignalOf(context) ?? controller.signal;
  const ended = (): void => {
    if (isSent(response)) return;
    controller.abort(
      new ClientGoneError(`${context.getClass().name}.${context.getHandler().name}`),
    );
  };
  if (isOver(response)) ended();
  else {
    response.once('close', ended);
    whenCutOff(response, ended);
  }
  return controller.signal;
});
