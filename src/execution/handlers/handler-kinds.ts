import { look } from '../../common/outcomes/look.js';
import type { DecoratedMethod } from '../methods/decorated-method.js';

/** Metadata in which `@UseInterceptors()` records the interceptors of a method, the outermost first. */
export const INTERCEPTORS = '__interceptors__';

/** Metadata keys that mark the methods for which Nest's packages run interceptors. */
const HANDLER_METADATA = [
  'path', // @nestjs/common: routes
  'microservices:pattern',
  'websockets:message_mapping',
  'graphql:resolver_type', // queries, mutations, subscriptions; fields have none
];

/** Whether Nest calls the method for requests or messages, through interceptors. */
export function isHandler(method: Function): boolean {
  return HANDLER_METADATA.some((key) => Reflect.hasMetadata(key, method));
}

/** Metadata keys of handlers whose clients get no details of errors from Nest's filters. */
const MESSAGE_METADATA = ['microservices:pattern', 'websockets:message_mapping'];

/** Whether Nest calls the method for messages of microservices or of WebSocket clients. */
export function isMessageHandler(method: Function): boolean {
  return MESSAGE_METADATA.some((key) => Reflect.hasMetadata(key, method));
}

/** Value of `PatternHandler.EVENT` of @nestjs/microservices. */
const EVENT = 2;

/** The patterns of an event handler, whose sender gets no answer; `undefined` for any other method. */
export function eventPatternsOf(method: Function): readonly unknown[] | undefined {
  if (Reflect.getMetadata('microservices:handler_type', method) !== EVENT) return undefined;
  return Reflect.getMetadata('microservices:pattern', method) as readonly unknown[];
}

/** `@ResolveField()` and `@ResolveReference()` of @nestjs/graphql, for which interceptors run only on demand. */
const FIELD_METADATA = ['graphql:resolve_property', 'graphql:resolve_reference'];

/** Whether GraphQL calls the method for a field, or for an entity of a federation. */
export function isFieldResolver(method: Function): boolean {
  return FIELD_METADATA.some((key) => Reflect.hasMetadata(key, method));
}

/** How a method of gRPC gets the messages of its client, if these are a stream. Values of @nestjs/microservices. */
export type MessageStream =
  | 'rx_stream' // @GrpcStreamMethod(): as an Observable
  | 'pt_stream'; // @GrpcStreamCall(): with the call itself, whose answer it sends

/** `undefined` for methods that get no stream of messages. */
export function messageStreamOf(method: Function): MessageStream | undefined {
  const patterns: unknown = Reflect.getMetadata('microservices:pattern', method);
  if (!Array.isArray(patterns)) return undefined;
  const kind = look(patterns[0], 'streaming');
  return kind === 'rx_stream' || kind === 'pt_stream' ? kind : undefined;
}

/** Whether Nest awaits the method's result: that of a handler, or of a GraphQL field resolver. */
export function isAwaitedByNest(method: Function): boolean {
  return isHandler(method) || isFieldResolver(method);
}

/** Whether a handler has `@Sse()`. */
export function isEventStream(handler: Function): boolean {
  return Reflect.getMetadata('__sse__', handler) === true;
}

/** Metadata in which Nest's decorators of parameters record what each is filled with. */
const PARAMETERS = '__routeArguments__';

/**
 * Whether the only parameter with a decorator is one of several of a message handler. Nest passes data and client by position,
 * but only as long as no parameter has a decorator; then it leaves out those that have none.
 */
export function fillsOneParameterAlone(
  method: Function,
  owner: Function,
  key: string | symbol,
): boolean {
  if (!isMessageHandler(method)) return false;
  const filled = Reflect.getMetadata(PARAMETERS, owner, key) as object | undefined;
  const types: unknown = Reflect.getMetadata('design:paramtypes', owner.prototype as object, key);
  const arity = Math.max(method.length, Array.isArray(types) ? types.length : 0);
  return Object.keys(filled ?? {}).length === 1 && arity > 1;
}

/** `RouteParamtypes` of @nestjs/common: `@Res()` and `@Next()`. */
const RESPONSE_PARAMETERS = ['1:', '2:'];

/** Whether Nest leaves the response to a handler: by `@Res()` or `@Next()` without `passthrough`, or `@GrpcStreamCall()`. */
export function sendsResponse({ key, wrapper }: DecoratedMethod, owner: Function): boolean {
  if (wrapper !== undefined && messageStreamOf(wrapper) === 'pt_stream') return true;
  const parameters = Reflect.getMetadata(PARAMETERS, owner, key) as object | undefined;
  if (Reflect.getMetadata('__responsePassthrough__', owner, key) === true) return false;
  return Object.keys(parameters ?? {}).some((parameter) =>
    RESPONSE_PARAMETERS.some((kind) => parameter.startsWith(kind)),
  );
}
