import { isResilienceError } from '../common/errors.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import type { CallTracer } from '../telemetry/call-tracer.js';
import { answerEventOf } from '../telemetry/metrics/event-of.js';
import { AwaitedWork } from './awaited-work.js';
import { isPromiseLike } from '../common/outcomes/look.js';
import type { Call } from './call.js';
import { CallLog } from './call-log.js';
import { tellNotLive } from './liveness.js';
import { Passage } from './passage.js';
import { AGAIN, type Reaction, type Stage } from './stage.js';
import { Step } from './step.js';
import { type Waiter, tell } from './waiter.js';

/** A stage on the way out that makes the call wait. */
interface Pause {
  readonly level: number;
  readonly reaction: Promise<Reaction>;
}

/** Where the slow path resumes: inbound after `entered` stages, or outbound at `pause`. */
type Position =
  | { readonly entered: number; readonly ready?: Promise<void> }
  | { readonly pause: Pause | undefined };

const OUTSIDE: Position = { entered: 0 };

/**
 * The stages of one plan, outermost first, and the one loop that takes a call through them: inwards to the method,
 * outwards with its outcome, and inwards again from a stage that asks for it.
 *
 * On the happy path all stages are entered and left synchronously, with one promise for any number of them.
 */
export class Pipeline {
  /** Whether a stage may stop the call before its work ends. */
  private readonly interrupts: boolean;
  /** Whether a stage keeps results. */
  private readonly keepsResults: boolean;
  private readonly steps: readonly Step[];
  /** The level of the outermost stage that has to know when abandoned work really ends; `Infinity` if there is none. */
  private readonly holder: number;
  private readonly log: CallLog;

  /** @param name of the method (`Class.method`), command or pipeline, for events */
  constructor(
    readonly name: string,
    readonly stages: readonly Stage[],
    private readonly events: ResilienceEvents,
  ) {
    this.interrupts = stages.some((stage) => stage.interrupts);
    this.keepsResults = stages.some((stage) => stage.keepsResults);
    const holder = stages.findIndex((stage) => stage.holdsWork);
    this.holder = holder < 0 ? Infinity : holder;
    this.steps = stages.map((stage) => new Step(stage));
    this.log = new CallLog(name, events);
    stages.forEach((stage, level) => {
      stage.level = level;
    });
  }

  /** Call it when another pipeline has taken its place: only running calls still use it. */
  retire(): void {
    for (const stage of this.stages) stage.retire?.();
  }

  /** Resolves to the call's result or rejects with its error; both are the method's own unless a policy has replaced them. */
  run(call: Call): Promise<unknown> {
    return this.start(call)!;
  }

  /** The same, but reports to `waiter`. Without a promise, if the work is {@link AwaitedWork} and no stage makes the call wait. */
  runFor(call: Call, waiter: Waiter): void {
    const outcome = this.start(call, waiter);
    if (outcome !== undefined) tell(waiter, outcome);
  }

  /** @returns `undefined` when the waiter will get the outcome */
  private start(call: Call, waiter?: Waiter): Promise<unknown> | undefined {
    if (this.interrupts) call.interruptible = true;
    if (this.keepsResults) call.keepsResults = true;
    const { tracer } = this.events;
    return tracer === undefined ? this.begin(call, waiter) : this.traced(tracer, call);
  }

  private traced(tracer: CallTracer, call: Call): Promise<unknown> {
    return tracer.aroundCall(this.name, call.callId, () => this.begin(call)!);
  }

  private begin(call: Call, waiter?: Waiter): Promise<unknown> | undefined {
    const { events } = this;
    if (call.reports !== undefined || events.hearsCalls) this.log.begin(call);
    return events.hearsAttempts ? this.drive(call) : this.runFast(call, waiter);
  }

  /** The fast path of the first attempt, if events of attempts have no listener; until a stage makes the call wait. */
  private runFast(call: Call, waiter: Waiter | undefined): Promise<unknown> | undefined {
    const { steps } = this;
    let level = 0;
    let reached = false; // the method
    let work: unknown;
    try {
      if (call.interruptible) call.beginAttempt();
      while (level < steps.length) {
        const step = steps[level]!;
        const held = step.enter?.call(step.stage, call);
        call.held[level++] = held;
        const ready = step.ready?.call(step.stage, call, held);
        if (ready !== undefined) return this.drive(call, { entered: level, ready });
      }
      if (call.interruptible) call.throwIfInterrupted();
      reached = true;
      work = call.start();
    } catch (error) {
      if (reached) call.tick();
      this.fail(call, error, reached);
      return this.resumeOutward(call, level);
    }
    const { callerContext } = call;
    if (waiter !== undefined && callerContext !== undefined && AwaitedWork.is(work)) {
      call.waitFor(work, new Passage(this, call, work, callerContext, waiter));
      return undefined;
    }
    return this.await(call, work);
  }

  private await(call: Call, work: unknown): Promise<unknown> {
    const end = call.interruptible ? call.interruptibly(work) : Promise.resolve(work);
    return end.then(
      (value) => this.succeedFast(call, value, work) ?? call.value,
      (error: unknown) => this.failFast(call, error, work),
    );
  }

  /**
   * The work of the fast path has ended with `value`.
   *
   * @internal
   * @returns `undefined` when the call has ended with its `value`, otherwise its outcome
   */
  succeedFast(call: Call, value: unknown, work: unknown): Promise<unknown> | undefined {
    if (call.interrupted) return this.failFast(call, undefined, work);
    call.tick();
    call.succeed(value);
    const pause = this.leave(call, this.steps.length);
    if (pause !== undefined || call.failed) return this.drive(call, { pause });
    finish(call);
    if (call.begunAt !== undefined) this.log.endSuccess(call, call.begunAt);
    return undefined;
  }

  /** @internal The work of the fast path has ended with `error`, or the call has been interrupted. */
  failFast(call: Call, error: unknown, work: unknown): Promise<unknown> {
    call.tick();
    this.fail(call, error, true, work);
    return this.resumeOutward(call, this.steps.length);
  }

  private resumeOutward(call: Call, level: number): Promise<unknown> {
    return this.drive(call, { pause: this.leave(call, level) });
  }

  private async drive(call: Call, position = OUTSIDE): Promise<unknown> {
    let pause =
      'entered' in position
        ? await this.attempt(call, position.entered, position.ready)
        : position.pause;
    while (pause !== undefined) {
      const { level, reaction } = pause;
      let again = false;
      try {
        again = (await (call.interruptible ? call.interruptibly(reaction) : reaction)) === AGAIN;
      } catch (error) {
        call.fail(call.reasonOr(error));
      }
      call.waitsEnded += 1;
      call.tick();
      if (again) call.beginAgain(level, this.holder < level);
      pause = again ? await this.attempt(call, level + 1) : this.leave(call, level);
    }
    countAnswer(call);
    if (call.source !== 'live') tellNotLive(call.source, call.ageMs);
    finish(call);
    if (call.begunAt !== undefined) this.log.end(call, call.begunAt);
    if (call.failed) throw call.error;
    return call.value;
  }

  /**
   * Inwards from `level` to the method, and outwards until a stage makes the call wait.
   *
   * @param ready the wait of the stage before `level`
   */
  private async attempt(
    call: Call,
    level: number,
    ready?: Promise<void>,
  ): Promise<Pause | undefined> {
    const { steps } = this;
    let reached = false; // the method
    let work: unknown;
    let startedAt = NaN; // of the method; only known if there is a listener
    try {
      if (call.interruptible && ready === undefined) call.beginAttempt();
      for (;;) {
        if (ready !== undefined) {
          await (call.interruptible ? call.interruptibly(ready) : ready);
          call.tick();
        }
        if (level === steps.length) break;
        const step = steps[level]!;
        const held = step.enter?.call(step.stage, call);
        call.held[level++] = held;
        ready = step.ready?.call(step.stage, call, held);
      }
      if (call.interruptible) call.throwIfInterrupted();
      startedAt = this.log.beginAttempt(call);
      reached = true;
      work = this.startWork(call);
      const result = await (call.interruptible ? call.interruptibly(work) : work);
      call.tick();
      if (call.interruptible) call.throwIfInterrupted();
      call.succeed(result);
      this.log.endAttempt(call, startedAt);
    } catch (error) {
      call.tick();
      this.fail(call, error, reached, work, startedAt);
    }
    return this.leave(call, level);
  }

  /** Runs the protected work. Only here, since tracers listen to attempts too, so traced calls do not take the fast path. */
  private startWork(call: Call): unknown {
    const { tracer } = this.events;
    if (tracer === undefined) return call.start();
    return tracer.aroundAttempt(call.callId, call.attempt, () => call.start());
  }

  /** The attempt has ended with `error`, or has been abandoned. @param reached whether the method has been called */
  private fail(
    call: Call,
    error: unknown,
    reached: boolean,
    work?: unknown,
    startedAt = NaN,
  ): void {
    call.fail(call.reasonOr(error));
    call.rejection = reached || call.interrupted ? undefined : rejectionIn(error);
    this.log.endAttempt(call, startedAt);
    if (call.interrupted) this.abandon(call, work, startedAt);
  }

  /** Outwards through the `entered` outermost stages, until one makes the call wait. */
  private leave(call: Call, entered: number): Pause | undefined {
    for (let level = entered - 1; level >= 0; level--) {
      const step = this.steps[level]!;
      const held = call.held[level];
      if (call.interruptible) call.resumeAt(level);
      try {
        step.exit?.call(step.stage, call, held);
      } catch {
        // Violates the contract. Still, outer stages must get their exit, and the call its own outcome.
      }
      if (step.react === undefined || (call.interruptible && call.isGivenUp(level))) continue;
      try {
        const reaction = step.react.call(step.stage, call, held);
        if (reaction !== undefined) return { level, reaction };
      } catch (error) {
        call.fail(call.reasonOr(error));
      }
    }
    call.conclude();
    return undefined;
  }

  /** Remembers the work of an abandoned attempt, and emits a `late` event when it ends. */
  private abandon(call: Call, work: unknown, startedAt: number): void {
    if (!isPromiseLike(work)) return;
    call.abandon(work);
    this.log.watchAbandoned(call, work, startedAt);
  }
}

/** The error, if it is a rejection. Only for calls that have not reached the method. */
function rejectionIn(error: unknown): unknown {
  return isResilienceError(error) ? error : undefined;
}

/** Counts the fallback of a failed call in the metrics in which the failure was counted. */
function countAnswer(call: Call): void {
  const { answerMetrics } = call;
  if (answerMetrics === undefined || call.callerHasGone) return;
  const event = answerEventOf(call);
  if (event !== undefined) answerMetrics.count(event, call.now());
}

/** Finishes the call, unless its result is a stream; then the end of the stream finishes it. */
function finish(call: Call): void {
  if (!call.streaming) call.finish();
}
