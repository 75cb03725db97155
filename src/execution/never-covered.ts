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

/** Members of classes that packages of Nest mark with metadata. */
const MARKED: readonly (readonly [metadata: string, keys: ReadonlySet<unknown>])[] = [
  // @WebSocketGateway(): their results are not awaited, so a rejection would end the process.
  ['websockets:is_gateway', new Set(['afterInit', 'handleConnection', 'handleDisconnect'])],
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
  if (MARKED.some(([metadata, keys]) => keys.has(key) && isMarked(owner, metadata))) return true;
  const method = wrapper ?? original;
  return LISTENER_METADATA.some((metadata) => Reflect.hasMetadata(metadata, method));
}

/** Whether Nest calls a method of that name itself, when the application starts or ends. */
export function isLifecycleHook(key: PropertyKey): boolean {
  return LIFECYCLE_HOOKS.has(key);
}

function isMarked(owner: Function, metadata: string): boolean {
  return classLine(owner).some((type) => Reflect.hasOwnMetadata(metadata, type));
}
