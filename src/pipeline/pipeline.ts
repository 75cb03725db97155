import { type Outcome, defaultOutcome } from '../common/outcome.js';
import { type CallReport } from './call-report.js';
import type { ResilienceEvents } from '../telemetry/resilience-events.js';
import { type Call, isPromiseLike } from './call.js';
import { AGAIN, type Stage } from './stage.js';

/**
 * The stages of one method, outermost first, and the one loop that takes a call through them: inwards to the
 * method, outwards with its outcome, and inwards again from a stage that asks for it.
 *
 * One async function for any number of stages: on the happy path a call costs one promise and one await.
 */
export class Pipeline {
  /** @param name `Class.method`, for events */
  constructor(
    readonly name: string,
    readonly stages: readonly Stage[],
    private readonly events: ResilienceEvents,
  ) {
    stages.forEach((stage, level) => {
      stage.level = level;
    });
  }

  /** Answers with the call's result or throws its error; both are the method's own unless a policy replaced them. */
  async run(call: Call): Promise<unknown> {
    const { stages } = this;
    const innermost = stages.length;
    const begunAt = call.reports === undefined ? 0 : call.now();
    let level = 0; // how many stages have been entered
    for (;;) {
      let work: unknown;
      let startedAt = NaN; // of the method, when anybody wants to know
      try {
        if (call.interruptible) call.beginAttempt();
        while (level < innermost) {
          const stage = stages[level]!;
          const held = stage.enter(call);
          call.held[level++] = held;
          const ready = stage.ready?.(call, held);
          if (ready !== undefined) {
            await (call.interruptible ? call.interruptibly(ready) : ready);
            call.tick();
          }
        }
        if (this.events.active) startedAt = call.now();
        if (call.interruptible) call.throwIfInterrupted();
        work = call.start();
        const result = await (call.interruptible ? call.interruptibly(work) : work);
        call.tick();
        if (call.interruptible) call.throwIfInterrupted();
        call.succeed(result);
        this.reportAttempt(call, startedAt);
      } catch (error) {
        call.tick();
        call.fail(call.reasonOr(error));
        this.reportAttempt(call, startedAt);
        if (call.interrupted) this.abandon(call, work, startedAt);
      }

      let again = false;
      while (level > 0 && !again) {
        const stage = stages[--level]!;
        if (call.interruptible) call.resumeAt(level);
        stage.exit(call, call.held[level]);
        if (call.isGivenUp(level)) continue;
        try {
          const reaction = stage.react(call, call.held[level]);
          if (reaction === undefined) continue;
          again = (await (call.interruptible ? call.interruptibly(reaction) : reaction)) === AGAIN;
        } catch (error) {
          call.fail(call.reasonOr(error));
        }
        call.tick();
      }
      if (!again) break;
      level += 1; // the stage that asked stays entered
      call.attempt += 1;
    }
    call.finish();
    call.reports?.push(reportOf(this.name, call, begunAt));
    if (call.failed) throw call.error;
    return call.value;
  }

  private reportAttempt(call: Call, startedAt: number): void {
    if (Number.isNaN(startedAt)) return;
    const { attempt, failed, error } = call;
    const durationMs = call.now() - startedAt;
    const outcome = outcomeOf(call);
    this.events.emit({
      type: 'attempt',
      name: this.name,
      attempt,
      outcome,
      durationMs,
      ...(failed && { error }),
    });
  }

  /** The attempt has been given up while its work goes on: nobody awaits that any more. */
  private abandon(call: Call, work: unknown, startedAt: number): void {
    if (!isPromiseLike(work)) return;
    call.abandoned = work;
    if (Number.isNaN(startedAt)) return;
    const { name, events } = this;
    const { attempt } = call;
    const ended = (outcome: Outcome): void => {
      call.tick();
      const durationMs = call.now() - startedAt;
      events.emit({ type: 'late', name, attempt, outcome, durationMs });
    };
    work.then(
      () => ended('success'),
      (error: unknown) => ended(defaultOutcome(error)),
    );
  }
}

function outcomeOf(call: Call): Outcome {
  if (call.cancelled) return 'ignored';
  return call.failed ? defaultOutcome(call.error) : 'success';
}

function reportOf(name: string, call: Call, begunAt: number): CallReport {
  const { attempt, source, ageMs } = call;
  const durationMs = call.now() - begunAt;
  return { name, attempts: attempt, outcome: outcomeOf(call), source, ageMs, durationMs };
}
