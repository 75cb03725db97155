import type { INestApplicationContext } from '@nestjs/common';
import type { FallbackContext, ResilienceEvent } from '../../src/index.js';
import { fallBack, perform } from './behaviour.js';
import type { Instance } from './build.js';
import { type Caller, makeCall } from './callers.js';
import { JumpingClock } from './clock.js';
import { Dice } from './dice.js';
import { type Answer, CallRecord, answerOf } from './ledger.js';
import { Mischief } from './mischief.js';
import { type SubjectPlan, planSubjects } from './plan.js';
import { SpiedController } from './signals.js';

/** The seed of a world: the same numbers make the same world. */
export interface WorldSeed {
  readonly seed: number;
  readonly subjects: number;
  /** One number a step. */
  readonly steps: readonly number[];
}

/** One application of a world. */
export interface AppInWorld {
  readonly app: INestApplicationContext;
  readonly callers: readonly Caller[];
  /** All events that its listener has received; `undefined` without a listener. */
  readonly heard: ResilienceEvent[] | undefined;
  closed: boolean;
}

/** The maximum of calls that one run may cause. */
const MOST_CALLS = 3_000;

/** The state of one run of the fuzz: subjects, callers and results. */
export class World {
  readonly clock = new JumpingClock();
  readonly dice: Dice;
  readonly mischief: Mischief;
  readonly subjects: readonly SubjectPlan[];
  readonly apps: AppInWorld[] = [];
  readonly ledger: CallRecord[] = [];
  readonly shared = [new SpiedController(), new SpiedController()];
  readonly controllers: SpiedController[] = [...this.shared];
  /** Violations found so far. */
  readonly violations: string[] = [];
  /** Times leap by hours: windows of the last seconds are empty. */
  readonly long: boolean;
  readonly listens: boolean;
  /** It ends in the middle of everything: its applications close while calls run, wait and sleep. */
  readonly abrupt: boolean;
  /** Nothing is hostile, things only go wrong: findings here would occur in production first. */
  readonly tame: boolean;
  /** Runs by subject. */
  readonly runs = new Map<number, number>();
  private readonly constants = new Map<number, Answer>();
  private readonly instances = new WeakMap<object, string>();
  private readonly handlers = new Map<number, new () => object>();
  private readonly hanging = new Set<() => void>();
  private readonly stoppers = new Map<CallRecord, () => void>();
  /** Our own timers, beside those of the library. */
  private timers = 0;
  /** Behaviours that have not ended. */
  private working = 0;

  constructor(given: WorldSeed) {
    this.dice = new Dice(given.seed);
    this.long = this.dice.chance(0.15);
    this.listens = this.dice.chance(0.6);
    this.abrupt = this.dice.chance(0.2);
    this.tame = this.dice.chance(0.4);
    const level = this.tame ? 0 : this.dice.pick([0.02, 0.2]);
    this.mischief = new Mischief(this.dice.fork(), level, this.tame);
    this.subjects = planSubjects(this.dice.fork(), this.mischief, given.subjects);
  }

  /** Every dependency is down. */
  outage = false;

  get calm(): boolean {
    return this.mischief.calm;
  }

  /** Whether nothing is pending any more. */
  get quiet(): boolean {
    return this.working === 0 && this.ledger.every(({ settled }) => settled > 0);
  }

  /** Timers that the library has not cancelled. */
  get timersLeft(): number {
    return this.clock.pending - this.timers;
  }

  fail(violation: string): void {
    this.violations.push(violation);
  }

  /** A call from outside. */
  call(subject: SubjectPlan, dice: Dice, shared?: SpiedController): CallRecord {
    const app = dice.int(0, this.apps.length - 1);
    const key = `k${dice.int(0, 3)}`;
    const record = this.record(subject, key, app, dice.int(0, subject.instances - 1), 0, dice);
    const controller = shared ?? (dice.chance(0.3) ? this.controller() : undefined);
    makeCall(this, record, controller?.signal, dice).catch(() => {});
    if (controller !== undefined && shared === undefined) this.planAbort(controller, dice);
    return record;
  }

  /** A call as simple as can be. */
  callPlainly(subject: SubjectPlan, app: number, key: string, dice: Dice): CallRecord {
    const record = this.record(subject, key, app, 0, 0, dice);
    makeCall(this, record, undefined, dice).catch(() => {});
    return record;
  }

  /** A call by something that is protected itself. */
  callInside(
    from: CallRecord,
    callee: number,
    key: string,
    signal: AbortSignal | undefined,
    seed: number,
  ): Promise<unknown> {
    const subject = this.subjects[callee]!;
    if (this.ledger.length > MOST_CALLS) return Promise.resolve();
    const dice = new Dice(seed);
    const instance = dice.int(0, subject.instances - 1);
    const record = this.record(subject, key, from.app, instance, from.depth + 1, dice);
    const result = makeCall(this, record, signal, dice);
    result.catch(() => {}); // the caller may no longer wait for it
    return result;
  }

  private record(
    subject: SubjectPlan,
    key: string,
    app: number,
    instance: number,
    depth: number,
    dice: Dice,
  ): CallRecord {
    const { length } = this.ledger;
    const record = new CallRecord(length, subject, key, app, instance, depth, dice.int(0, 1e9));
    this.ledger.push(record);
    return record;
  }

  /** One of its own for one call. */
  controller(): SpiedController {
    const controller = new SpiedController();
    this.controllers.push(controller);
    return controller;
  }

  private planAbort(controller: SpiedController, dice: Dice): void {
    if (dice.chance(0.5)) return;
    const reason = dice.pick([undefined, new Error('gone'), 'gone', null]);
    const abort = (): void => controller.abort(reason);
    if (dice.chance(0.2)) abort();
    else this.after(dice.int(0, 60), abort);
  }

  /** The work of a method, a command or a pipeline. */
  run(
    subject: SubjectPlan,
    self: Instance | undefined,
    id: number,
    signal: AbortSignal | undefined,
    up?: (id: number) => Promise<unknown>,
  ): unknown {
    const record = this.ledger[id]!;
    if (record.subject !== subject) this.fail(`run of ${subject.label} with call ${id} of another`);
    if (self !== undefined && this.tagOf(self) !== `${record.app}:${record.instance}`) {
      this.fail(`foreign instance: ${subject.label} run with that of ${this.tagOf(self)}`);
    }
    return perform(this, record, signal, up && (() => this.callUp(record, up)));
  }

  /** `super.m()`: a call of the parent's method, on the same instance. */
  private callUp(from: CallRecord, up: (id: number) => Promise<unknown>): Promise<unknown> {
    const parent = this.subjects[from.subject.parent!]!;
    const dice = new Dice(from.seed + from.runs);
    const record = this.record(parent, from.key, from.app, from.instance, from.depth + 1, dice);
    return this.follow(record, () => up(record.id));
  }

  /** Records the end of a call. */
  follow(record: CallRecord, begin: () => unknown): Promise<unknown> {
    let result: Promise<unknown>;
    try {
      result = begin() as Promise<unknown>;
    } catch (error) {
      this.fail(`call of ${record.subject.label} threw at its caller: ${String(error)}`);
      result = Promise.reject(error);
    }
    result.then(
      (value) => record.settle({ value }),
      (error: unknown) => record.settle({ error }),
    );
    return result;
  }

  /** @param id of the call; unknown to what a pipeline executes without arguments */
  answerInstead(subject: SubjectPlan, id: number | undefined, context: FallbackContext): unknown {
    if (id === undefined) return this.constantOf(subject);
    const record = this.ledger[id]!;
    if (record.subject !== subject) this.fail(`fallback of ${subject.label} with a foreign call`);
    return fallBack(this, record, context);
  }

  countRun({ index }: SubjectPlan): void {
    this.runs.set(index, (this.runs.get(index) ?? 0) + 1);
  }

  /** Items of a stream after its first: at once, later, or an error. */
  *itemsAfter(id: number, first: unknown): Generator<unknown> {
    const record = this.ledger[id]!;
    if (this.calm || (first as Partial<Answer> | undefined)?.id !== id) return;
    const dice = new Dice(record.seed ^ 0x1234567);
    for (let left = dice.int(0, 2); left > 0; left--) {
      const item = answerOf(record);
      record.results.add(item);
      yield this.item(record, item, dice);
    }
  }

  private item(record: CallRecord, item: object, dice: Dice): unknown {
    switch (dice.weighted({ now: 6, later: 3, hang: 0.5, broken: 0.5 })) {
      case 'later':
        return this.work(dice.int(0, 50)).then(() => item);
      case 'hang':
        return this.hang().then(() => item);
      case 'broken': {
        const error = new Error('the stream broke');
        record.errors.push(error);
        const broken = Promise.reject(error);
        broken.catch(() => {}); // the reader may have left
        return broken;
      }
      default:
        return item;
    }
  }

  /** @returns cancels it */
  after(ms: number, callback: () => void): () => void {
    let pending = true;
    const over = (): void => {
      if (pending) this.timers -= 1;
      pending = false;
    };
    const timer = this.clock.setTimer(() => {
      over();
      callback();
    }, ms);
    this.timers += 1;
    return () => {
      timer.cancel();
      over();
    };
  }

  /** Takes so long, unless it hears a signal. */
  work(ms: number, signal?: AbortSignal): Promise<void> {
    return this.busy(signal, (done) => this.after(ms, done));
  }

  /** Until {@link letGo}. */
  hang(signal?: AbortSignal): Promise<void> {
    return this.busy(signal, (done) => {
      this.hanging.add(done);
      return () => void this.hanging.delete(done);
    });
  }

  private busy(
    signal: AbortSignal | undefined,
    begin: (done: () => void) => () => void,
  ): Promise<void> {
    this.working += 1;
    return new Promise<void>((resolve, reject) => {
      const onAbort = (): void => end(() => reject(signal!.reason));
      let cancel = (): void => {};
      let ended = false;
      const end = (settle: () => void): void => {
        if (ended) return;
        ended = true;
        cancel();
        this.working -= 1;
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort);
      cancel = begin(() => end(resolve));
    });
  }

  /** Work that hangs goes on: all of it, or a part. */
  letGo(share = 1): void {
    for (const done of [...this.hanging]) {
      if (share < 1 && !this.dice.chance(share)) continue;
      this.hanging.delete(done);
      done();
    }
  }

  /** The way in which the caller can stop a call. */
  stopBy(record: CallRecord, stop: () => void): void {
    this.stoppers.set(record, stop);
  }

  stop(record: CallRecord): void {
    this.stoppers.get(record)?.();
  }

  constantOf(subject: SubjectPlan): Answer {
    const known = this.constants.get(subject.index);
    if (known !== undefined) return known;
    const made = { id: -1, s: subject.index, k: '', app: -1, inst: -1 };
    this.constants.set(subject.index, made);
    return made;
  }

  handlerOf(
    subject: SubjectPlan,
  ): new () => { handle(context: FallbackContext, id: number): unknown } {
    const known = this.handlers.get(subject.index);
    if (known !== undefined) return known as never;
    const answer = (context: FallbackContext, id: number): unknown =>
      this.answerInstead(subject, id, context);
    class Handler {
      handle(context: FallbackContext, id: number): unknown {
        return answer(context, id);
      }
    }
    this.handlers.set(subject.index, Handler);
    return Handler;
  }

  tag(instance: object, app: number, number: number): void {
    this.instances.set(instance, `${app}:${number}`);
  }

  /** The name of an instance; '' for another value. */
  tagOf(self: unknown): string {
    if (typeof self !== 'object' || self === null) return '';
    return this.instances.get(self) ?? '';
  }
}
