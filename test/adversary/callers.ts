import type { Observable } from 'rxjs';
import type { CallContext, Command, NamedPipeline } from '../../src/index.js';
import type { Instance } from './build.js';
import type { Dice } from './dice.js';
import type { CallRecord } from './ledger.js';
import type { World } from './world.js';

/** How one subject is called in one application. */
export interface Caller {
  readonly instances?: readonly Instance[];
  readonly command?: Command<[id: number, key: string], unknown>;
  readonly pipeline?: NamedPipeline;
}

/** Makes the call of the record, and records its end. Never throws. */
export function makeCall(
  world: World,
  record: CallRecord,
  signal: AbortSignal | undefined,
  dice: Dice,
): Promise<unknown> {
  const { instances, command, pipeline } = world.apps[record.app]!.callers[record.subject.index]!;
  if (command !== undefined) return callCommand(world, record, command, dice);
  if (signal !== undefined) record.signals.push(signal);
  if (pipeline !== undefined) return callPipeline(world, record, pipeline, signal, dice);
  return callMethod(world, record, instances![record.instance]!, signal, dice);
}

function callCommand(
  world: World,
  record: CallRecord,
  command: NonNullable<Caller['command']>,
  dice: Dice,
): Promise<unknown> {
  const { id, key } = record;
  switch (dice.int(0, 4)) {
    case 0:
      return consume(world, record, command.observe(id, key), dice);
    case 1: {
      const handle = command.queue(id, key);
      const cancel = (): void => {
        const reason = dice.pick([undefined, new Error('cancelled'), 'cancelled', null]);
        record.errors.push(reason);
        handle.cancel(...(reason === undefined ? [] : [reason]));
      };
      world.stopBy(record, cancel);
      if (!world.calm && dice.chance(0.3)) world.after(dice.int(0, 60), cancel);
      return world.follow(record, () => handle.result);
    }
    default:
      return world.follow(record, () => command.execute(id, key));
  }
}

function callPipeline(
  world: World,
  record: CallRecord,
  pipeline: NamedPipeline,
  signal: AbortSignal | undefined,
  dice: Dice,
): Promise<unknown> {
  const { id, key, subject } = record;
  // A call without arguments has no key.
  if (world.calm ? key !== 'none' : signal === undefined && dice.chance(0.5)) {
    const wrapped = pipeline.wrap((own: number, _key: string) =>
      world.run(subject, undefined, own, undefined),
    );
    return world.follow(record, () => wrapped(id, key));
  }
  const work = (context: CallContext): unknown =>
    world.run(subject, undefined, id, dice.chance(0.5) ? context.signal : undefined);
  return world.follow(record, () => pipeline.execute(work, { signal }));
}

function callMethod(
  world: World,
  record: CallRecord,
  instance: Instance,
  signal: AbortSignal | undefined,
  dice: Dice,
): Promise<unknown> {
  const { id, key, subject } = record;
  const call = (): unknown =>
    signal === undefined ? instance.m(id, key) : instance.m(id, key, signal);
  switch (subject.returns) {
    case 'promise':
      return world.follow(record, call);
    case 'observable':
      return consume(world, record, call() as Observable<unknown>, dice);
    case 'iterable':
      return iterate(world, record, call() as AsyncGenerator<unknown>, dice);
  }
}

/** Subscribes, and may go before the end. */
function consume(
  world: World,
  record: CallRecord,
  source: Observable<unknown>,
  dice: Dice,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let last: unknown;
    const over = (): boolean => {
      if (record.settled > 0) world.fail(`stream of ${record.subject.label}: told after its end`);
      return record.settled > 0;
    };
    const subscription = source.subscribe({
      next: (value) => {
        over();
        last = value;
        check(world, record, value);
      },
      error: (error: unknown) => {
        if (over()) return;
        record.settle({ error });
        reject(error);
      },
      complete: () => {
        if (over()) return;
        record.settle({ left: true });
        resolve(last);
      },
    });
    const leave = (): void => {
      if (record.settled > 0) return;
      subscription.unsubscribe();
      record.settle({ left: true });
      resolve(undefined);
    };
    world.stopBy(record, leave);
    if (!world.calm && dice.chance(0.3)) world.after(dice.int(0, 60), leave);
  });
}

/** Takes items, and may leave early by `return()` or `throw()`. */
async function iterate(
  world: World,
  record: CallRecord,
  source: AsyncGenerator<unknown>,
  dice: Dice,
): Promise<unknown> {
  let left = !world.calm && dice.chance(0.3) ? dice.int(0, 2) : Infinity;
  let last: unknown;
  try {
    for (;;) {
      if (left-- === 0) {
        if (dice.chance(0.5)) await source.return(undefined);
        else await source.throw(record.errors[record.errors.push(new Error('thrown in')) - 1]);
        break;
      }
      const { value, done } = await source.next();
      if (done) break;
      last = value;
      check(world, record, value);
    }
  } catch (error) {
    record.settle({ error });
    throw error;
  }
  record.settle({ left: true });
  return last;
}

function check(world: World, record: CallRecord, item: unknown): void {
  const { subject, results } = record;
  if (results.has(item) || item === world.constantOf(subject)) return;
  if (isStaleAnswerFor(record, item)) return;
  world.fail(`stream of ${subject.label}: an item that is not its own`);
}

/** Whether a value is a copy of a former answer to the same question. */
export function isStaleAnswerFor(
  { subject, key, app, instance }: CallRecord,
  value: unknown,
): boolean {
  const kept = subject.fallback === 'stale' || subject.fallback === 'list';
  if (!kept || typeof value !== 'object' || value === null) return false;
  const { s, k, app: ofApp, inst } = value as Record<string, unknown>;
  // A pipeline has no keys.
  const same = k === key || subject.kind === 'pipeline';
  return s === subject.index && same && ofApp === app && inst === instance;
}
