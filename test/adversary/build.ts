import 'reflect-metadata';
import { Injectable, type Provider } from '@nestjs/common';
import { Observable } from 'rxjs';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  type FallbackContext,
  type GivenFallback,
  type PipelineOptions,
  RateLimit,
  Retry,
  Signal,
  Timeout,
  UsePipeline,
  staleIfError,
  fallbackValue,
} from '../../src/index.js';
import type { Policies, SubjectPlan } from './plan.js';
import type { World } from './world.js';

export type Instance = Readonly<
  Record<'m', (id: number, key: string, signal?: AbortSignal) => unknown>
>;

/** A class as users would write it. */
export type Built = new () => Instance;

type Decorator = (target: object, key: string, descriptor: PropertyDescriptor) => void;

/** Answers when a subject has failed. */
export function fallbackOf(world: World, subject: SubjectPlan): GivenFallback | undefined {
  const answer = (context: FallbackContext, id: number): unknown =>
    world.answerInstead(subject, id, context);
  const stale = staleIfError({
    ttl: '1m',
    readTimeout: 20,
    writeTimeout: 50,
    key(this: unknown, ...args: never[]): string {
      world.mischief.throws('the key of staleIfError', undefined);
      return `${world.tagOf(this)}:${String(args[1])}`;
    },
  });
  switch (subject.fallback) {
    case undefined:
      return undefined;
    case 'value':
      return fallbackValue(world.constantOf(subject));
    case 'method':
      return spareOf(subject);
    case 'class':
      return world.handlerOf(subject);
    case 'stale':
      return stale;
    case 'list':
      return [
        { on: [TypeError], handler: fallbackValue(world.constantOf(subject)) },
        { on: [() => world.mischief.throws('on', true)], handler: answer },
        { handler: stale },
      ];
    default:
      return { handler: answer, maxConcurrent: 1 + (subject.index % 3) };
  }
}

function decoratorsOf({
  retry,
  timeout,
  circuitBreaker,
  rateLimit,
  bulkhead,
}: Policies): Decorator[] {
  const given: (Decorator | undefined)[] = [
    retry && (Retry(retry) as Decorator),
    timeout && (Timeout(timeout) as Decorator),
    circuitBreaker && (CircuitBreaker(circuitBreaker) as Decorator),
    rateLimit && (RateLimit(rateLimit) as Decorator),
    bulkhead && (Bulkhead(bulkhead) as Decorator),
  ];
  return given.filter((each) => each !== undefined);
}

/** The decorator takes the handler first, then the options. */
function decoratorOf(given: GivenFallback): Decorator {
  const isOptions = typeof given === 'object' && 'handler' in given && !Array.isArray(given);
  const { handler, ...options } = isOptions ? given : { handler: given };
  return Fallback(handler as never, options) as Decorator;
}

/** The pipeline of `forRoot()` that a method with another order of its stages uses. */
export function rootPipelineOf(subject: SubjectPlan): PipelineOptions | undefined {
  if (subject.kind !== 'method' || subject.order === undefined) return undefined;
  return { ...subject.policies, order: subject.order };
}

function decorate(type: Function, name: string, returns: Function, decorators: Decorator[]): void {
  const prototype = type.prototype as object;
  Reflect.defineMetadata('design:type', Function, prototype, name);
  Reflect.defineMetadata('design:paramtypes', [Number, String, AbortSignal], prototype, name);
  Reflect.defineMetadata('design:returntype', returns, prototype, name);
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)!;
  for (const each of decorators) each(prototype, name, descriptor);
  Object.defineProperty(prototype, name, descriptor);
}

/** The class of a subject that is a method. */
export function buildClass(world: World, subject: SubjectPlan, parent: Built | undefined): Built {
  const inherited = parent?.prototype.m as Instance['m'] | undefined;
  const { label } = subject;
  const made = parent === undefined ? { [label]: class {} } : { [label]: class extends parent {} };
  const Type = made[label]!;
  define(Type, spareOf(subject), (...args: unknown[]): unknown =>
    world.answerInstead(subject, args[0] as number, args.at(-1) as FallbackContext),
  );
  const { returns } = subject;
  const method = {
    promise(this: Instance, id: number, key: string, signal?: AbortSignal): unknown {
      const up = inherited?.bind(this);
      return world.run(subject, this, id, signal, up && ((own) => up(own, key) as never));
    },
    observable(this: Instance, id: number, _key: string, signal?: AbortSignal): unknown {
      return observe(world, subject, this, id, signal);
    },
    async *iterable(this: Instance, id: number, _key: string, signal?: AbortSignal): unknown {
      const answer = await world.run(subject, this, id, signal);
      for (const item of world.itemsAfter(id, answer)) yield await item;
    },
  }[returns];
  define(Type, 'm', method);
  const root = rootPipelineOf(subject);
  const fallback = fallbackOf(world, subject);
  const own: Decorator[] =
    root === undefined
      ? decoratorsOf(subject.policies)
      : [UsePipeline(rootName(subject)) as Decorator];
  if (fallback !== undefined) own.push(decoratorOf(fallback));
  // Without a policy there would be nothing to test, and no signal.
  if (own.length === 0) own.push(Timeout('10s') as Decorator);
  const type = { promise: Promise, observable: Observable, iterable: Object }[returns];
  Signal()(Type.prototype, 'm', 2);
  decorate(Type, 'm', type, own);
  const spare = decoratorsOf(subject.spare);
  if (subject.fallback === 'method' && spare.length > 0)
    decorate(Type, spareOf(subject), Promise, spare);
  Injectable()(Type);
  return Type as unknown as Built;
}

/** Its fallback, which a subclass does not override. */
function spareOf({ index }: SubjectPlan): string {
  return `spare${index}`;
}

function define(type: Function, name: string, value: Function): void {
  Object.defineProperty(type.prototype, name, { value, configurable: true, writable: true });
}

export function rootName({ index }: SubjectPlan): string {
  return `P${index}`;
}

function observe(
  world: World,
  subject: SubjectPlan,
  self: Instance,
  id: number,
  signal: AbortSignal | undefined,
): Observable<unknown> {
  return new Observable((subscriber) => {
    let left = false;
    const send = async (): Promise<void> => {
      const answer = await world.run(subject, self, id, signal);
      subscriber.next(answer);
      for (const item of world.itemsAfter(id, answer)) {
        if (left) return;
        subscriber.next(await item);
      }
    };
    send().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
    return () => void (left = true);
  });
}

/** Providers of a class: two of them when there are to be two instances. */
export function providersOf({ label, instances }: SubjectPlan, type: Built): Provider[] {
  const all: Provider[] = [type];
  if (instances > 1) all.push({ provide: `${label}#2`, useClass: type });
  return all;
}
