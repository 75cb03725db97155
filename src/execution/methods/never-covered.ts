import { classLine } from './class-line.js';
import type { DecoratedMethod } from './decorated-method.js';

/** Nest calls these itself, when a retry makes no sense. */
const LIFECYCLE_HOOKS: ReadonlySet<unknown> = new Set([
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]);

/** `@WebSocketGateway()`: their results are not awaited, so a rejection would end the process. */
const GATEWAY_HOOKS = [
  'websockets:is_gateway',
  new Set<unknown>(['afterInit', 'handleConnection', 'handleDisconnect']),
] as const;

/** Members of classes that packages of Nest mark with metadata. */
const MARKED: readonly (readonly [metadata: string, keys: ReadonlySet<unknown>])[] = [
  GATEWAY_HOOKS,
  // @nestjs/bullmq, @Processor() and @QueueEventsListener(): accessors that their base classes have.
  ['bullmq:processor_metadata', new Set(['worker'])],
  ['bullmq:queue_events_listener_metadata', new Set(['queueEvents'])],
];

/** Metadata of listeners for jobs, which are not awaited either. */
const LISTENER_METADATA = [
  'bullmq:worker_events_metadata', // @nestjs/bullmq: @OnWorkerEvent()
  'bullmq:queue_events_metadata', // @nestjs/bullmq: @OnQueueEvent()
  'bull:module_on_queue_event', // @nestjs/bull: @OnQueueCompleted() and the like
];

/**
 * Whether the policies of a class never cover a method, whatever it returns. For those of marked classes, this is only known
 * when all decorators of the class have run: `@WebSocketGateway()` may be above ours.
 */
export function isNeverCovered(
  { key, wrapper, original }: Pick<DecoratedMethod, 'key' | 'wrapper' | 'original'>,
  owner: Function,
): boolean {
  if (isLifecycleHook(key)) return true;
  if (isSaga(key, owner)) return true;
  if (MARKED.some(([metadata, keys]) => keys.has(key) && isMarked(owner, metadata))) return true;
  return jobEventOf(wrapper ?? original) !== undefined;
}

/** `@Saga()` of @nestjs/cqrs: a stream that lasts as long as the application, and may have its first item at any time. */
function isSaga(key: PropertyKey, owner: Function): boolean {
  const sagas: unknown = Reflect.getMetadata('__saga__', owner);
  return Array.isArray(sagas) && sagas.includes(key);
}

/** Whether Nest calls a method of that name when a client of the gateway comes or goes. */
export function isGatewayHook(key: PropertyKey, owner: Function): boolean {
  const [metadata, keys] = GATEWAY_HOOKS;
  return keys.has(key) && isMarked(owner, metadata);
}

/** What a listener for jobs has been decorated with, such as `{ eventName: 'failed' }`; `undefined` for other methods. */
export function jobEventOf(method: Function): object | undefined {
  const metadata = LISTENER_METADATA.find((key) => Reflect.hasMetadata(key, method));
  return metadata === undefined
    ? undefined
    : (Reflect.getMetadata(metadata, method) as object | undefined);
}

/** Whether Nest calls a method of that name itself, when the application starts or ends. */
export function isLifecycleHook(key: PropertyKey): boolean {
  return LIFECYCLE_HOOKS.has(key);
}

function isMarked(owner: Function, metadata: string): boolean {
  return classLine(owner).some((type) => Reflect.hasOwnMetadata(metadata, type));
}
