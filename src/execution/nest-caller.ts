import { type ResilienceError, isResilienceError } from '../common/errors.js';
import { isOwnFailure } from '../common/outcomes/default-outcome.js';
import { show } from '../common/printable.js';
import { forGraphql } from './rejection-answers.js';

/** Receives the promise of a call by Nest, which does not do with a rejection what its users need. */
export type NestCaller = (result: Promise<unknown>) => Promise<unknown>;

/**
 * The treatment of a method that packages of Nest call without an interceptor: scheduled ones, listeners, handlers of CQRS
 * events, field resolvers; `undefined` for any other method.
 *
 * @param owner the class that it is called on
 * @param name of the method, for the log
 */
export function nestCallerOf(
  method: Function,
  owner: Function,
  name: string,
  warn: (message: string) => void,
): NestCaller | undefined {
  if (Reflect.hasMetadata('graphql:resolve_property', method)) return forClients;
  if (Reflect.hasMetadata('SCHEDULER_TYPE', method)) {
    return logging('@nestjs/schedule', method, ({ message }) =>
      warn(`${name} was rejected: ${message}`),
    );
  }
  const handled = handledBy(method, owner);
  if (handled !== undefined) {
    const events = handled.map(({ name: event }) => event).join(', ');
    const tell = (error: ResilienceError): void => warn(lostEvent(name, events, error));
    return logging('@nestjs/cqrs', method, tell, true);
  }
  const listened = listenedBy(method);
  if (listened === undefined) return undefined;
  const events = listened.map(({ event }) => show(event)).join(', ');
  return logging('@nestjs/event-emitter', method, (error) => warn(lostEvent(name, events, error)));
}

/** The events of `@EventsHandler()`; `undefined` for other methods than `handle()` of such a class. */
function handledBy(method: Function, owner: Function): readonly Function[] | undefined {
  if (method.name !== 'handle') return undefined;
  return Reflect.getMetadata('__eventsHandler__', owner) as readonly Function[] | undefined;
}

interface Listened {
  readonly event: unknown;
  readonly options?: { readonly suppressErrors?: boolean };
}

/** The events of `@OnEvent()`, unless their emitter wants to hear of errors. */
function listenedBy(method: Function): readonly Listened[] | undefined {
  const listened = Reflect.getMetadata('EVENT_LISTENER_METADATA', method) as
    readonly Listened[] | undefined;
  return listened?.some(({ options }) => options?.suppressErrors === false) ? undefined : listened;
}

/** GraphQL sends the message of an error to the client. */
const forClients: NestCaller = async (result) => {
  try {
    return await result;
  } catch (error) {
    throw isResilienceError(error) ? forGraphql(error) : error;
  }
};

/** The line in the log about an event whose handling did not begin or did not finish. */
export function lostEvent(name: string, events: string, error: ResilienceError): string {
  const happened = isOwnFailure(error) ? 'has failed to handle' : 'has turned away';
  return `${name} ${happened} an event (${events}): ${error.message}`;
}

/**
 * Logs the rejections of calls by a package. Calls by others are rejected as always.
 *
 * @param passesOn whether the package gets them too, and not only a stack to log
 */
function logging(
  caller: string,
  method: Function,
  log: (error: ResilienceError) => void,
  passesOn = false,
): NestCaller {
  return (result) => {
    if (!isCalledBy(caller, method)) return result;
    return result.catch((error: unknown) => {
      const rejected = isResilienceError(error);
      if (rejected) log(error);
      if (passesOn || !rejected) throw error;
    });
  };
}

/** Whether a package itself makes the present call of `method`: only the stack tells it from a call by the application. */
function isCalledBy(name: string, method: Function): boolean {
  const at: { stack?: string } = {};
  const { stackTraceLimit } = Error;
  Reflect.set(Error, 'stackTraceLimit', 1); // a whole stack takes three times as long
  Error.captureStackTrace(at, method);
  const [, nearest = ''] = at.stack?.split('\n') ?? [];
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  return nearest.replaceAll('\\', '/').includes(`/node_modules/${name}/`);
}
