import { type ResilienceError, isResilienceError } from '../../common/errors.js';
import { isOwnFailure } from '../../common/outcomes/default-outcome.js';
import { show } from '../../common/printable.js';
import { limitStacks, restoreStacks } from '../../common/stack-limit.js';
import { look } from '../../common/outcomes/look.js';
import { isFieldResolver } from './handler-kinds.js';
import { isGatewayHook, jobEventOf } from '../methods/never-covered.js';
import { forGraphql } from './rejection-answers.js';

/** Receives the promise of a call by Nest, which does not handle rejections as its users need. */
export type NestCaller = (result: Promise<unknown>) => Promise<unknown>;

/** Parts of the places in a stack where packages call. Methods that are bound are called by what they were given to. */
const CALLERS = {
  schedule: ['/node_modules/@nestjs/schedule/'],
  cqrs: ['/node_modules/@nestjs/cqrs/'],
  eventEmitter: ['/node_modules/@nestjs/event-emitter/'],
  websockets: ['/node_modules/@nestjs/websockets/', '/node_modules/rxjs/'],
  queues: ['node:events:'],
} as const;

/**
 * How to treat the results of a method that packages of Nest call without an interceptor: scheduled methods, listeners, hooks of gateways,
 * handlers of CQRS events, field resolvers; `undefined` for any other method.
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
  if (isFieldResolver(method)) return forClients;
  const reportRun = ({ message }: ResilienceError): void =>
    warn(`${name} was rejected: ${message}`);
  if (Reflect.hasMetadata('SCHEDULER_TYPE', method)) {
    return reporting(CALLERS.schedule, method, reportRun);
  }
  if (isGatewayHook(method.name, owner)) return reporting(CALLERS.websockets, method, reportRun);
  const job = jobEventOf(method);
  if (job !== undefined) {
    const event = show(look(job, 'eventName'));
    return reporting(CALLERS.queues, method, (error) => warn(lostEvent(name, event, error)));
  }
  const handled = handledBy(method, owner);
  if (handled !== undefined) {
    const events = handled.map(({ name: event }) => event).join(', ');
    const report = (error: ResilienceError): void => warn(lostEvent(name, events, error));
    return reporting(CALLERS.cqrs, method, report, true);
  }
  const listened = listenedBy(method);
  if (listened === undefined) return undefined;
  const events = listened.map(({ event }) => show(event)).join(', ');
  return reporting(CALLERS.eventEmitter, method, (error) => warn(lostEvent(name, events, error)));
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

/** The events of `@OnEvent()`, unless their emitter should get the errors. */
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

/** The log line about an event that was not handled, or not completely. */
export function lostEvent(name: string, events: string, error: ResilienceError): string {
  const happened = isOwnFailure(error) ? 'has failed to handle' : 'has turned away';
  return `${name} ${happened} an event (${events}): ${error.message}`;
}

/**
 * Reports the rejections of calls that a package makes. Other callers of the method get them as usual.
 *
 * @param passesOn whether the package gets them too, and not only a stack to log
 */
function reporting(
  callers: readonly string[],
  method: Function,
  report: (error: ResilienceError) => void,
  passesOn = false,
): NestCaller {
  return (result) => {
    const call = callOf(method);
    return result.catch((error: unknown) => {
      if (!isResilienceError(error) || !isBy(callers, call)) throw error;
      report(error);
      if (passesOn) throw error;
    });
  };
}

/** Where the current call of `method` is made. Formatting the stack costs more than capturing it, so that is done on reading. */
interface CallPlace {
  readonly stack?: string;
}

function callOf(method: Function): CallPlace {
  const place: CallPlace = {};
  const limit = limitStacks(1);
  try {
    Error.captureStackTrace(place, method);
  } finally {
    if (limit !== undefined) restoreStacks(limit);
  }
  return place;
}

/** Whether a package itself has made a call: only the stack distinguishes it from a call by the application. */
function isBy(callers: readonly string[], { stack }: CallPlace): boolean {
  const [, nearest = ''] = stack?.split('\n') ?? [];
  const place = nearest.replaceAll('\\', '/');
  return callers.some((caller) => place.includes(caller));
}
