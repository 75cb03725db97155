import {
  BulkheadRegistry,
  CircuitBreakerRegistry,
  RateLimitRegistry,
  type ResilienceEvent,
  ResilienceConfigurationError,
  ResilienceService,
  isResilienceError,
} from '../../src/index.js';
import { isStaleAnswerFor } from './callers.js';
import { shown } from './hostile.js';
import type { CallRecord } from './ledger.js';
import type { SubjectPlan } from './plan.js';
import type { AppInWorld, World } from './world.js';

/** The rules that must hold when everything has ended. */
export function checkEnds(world: World): void {
  for (const record of world.ledger) checkOutcome(world, record);
  for (const controller of world.controllers) {
    if (controller.listening > 0) world.fail(`signal: ${controller.listening} listeners are left`);
    if (controller.most > 10) world.fail(`signal: more than ten listeners at a time`);
  }
  for (const one of world.apps) checkParts(world, one);
}

function checkOutcome(world: World, record: CallRecord): void {
  const { settled, outcome, subject, depth } = record;
  const what = `call of ${subject.label} (${subject.kind}, ${subject.returns}, depth ${depth})`;
  if (settled !== 1) return world.fail(`settled: ${what} was settled ${settled} times`);
  if (outcome?.left) return;
  if ('error' in outcome!) {
    if (!mayFailWith(world, record, outcome.error)) {
      world.fail(`foreign error: ${what} failed with ${shown(outcome.error)}`);
    }
  } else if (!mayAnswer(world, record, outcome!.value)) {
    world.fail(`foreign value: ${what} answered with ${shown(outcome!.value)}`);
  }
}

function mayFailWith(world: World, { errors, signals }: CallRecord, error: unknown): boolean {
  if (errors.some((own) => Object.is(own, error))) return true;
  if (signals.some((signal) => signal.aborted && Object.is(signal.reason, error))) return true;
  if (world.mischief.keyErrors.has(error)) return true;
  return isResilienceError(error) && !(error instanceof ResilienceConfigurationError);
}

function mayAnswer(world: World, record: CallRecord, value: unknown): boolean {
  const { subject, results } = record;
  if (results.has(value) || isStaleAnswerFor(record, value)) return true;
  return value === world.constantOf(subject);
}

function checkParts(world: World, { app, heard }: AppInWorld): void {
  for (const { name, running, waiting, rejected } of app.get(BulkheadRegistry)) {
    if (running !== 0) world.fail(`place: bulkhead ${name} has ${running} places taken`);
    if (waiting !== 0) world.fail(`queue: bulkhead ${name} has ${waiting} waiting`);
    if (heard !== undefined && !world.long) {
      const told = rejections(heard, name, 'bulkhead');
      if (told !== rejected)
        world.fail(`count: bulkhead ${name}: ${told} told, ${rejected} counted`);
    }
  }
  for (const { name, waiting, rejected } of app.get(RateLimitRegistry)) {
    if (waiting !== 0) world.fail(`queue: limit ${name} has ${waiting} waiting`);
    if (heard === undefined || name.endsWith(']')) continue;
    const told = rejections(heard, name, 'rateLimit');
    if (told !== rejected) world.fail(`count: limit ${name}: ${told} told, ${rejected} counted`);
  }
  const names = new Set<string>();
  for (const breaker of app.get(CircuitBreakerRegistry)) {
    const { name, running, metrics, rejected } = breaker.snapshot();
    if (names.has(name)) world.fail(`breaker ${name}: there are two of that name`);
    names.add(name);
    if (running !== 0) world.fail(`permit: breaker ${name} has ${running} running`);
    if (metrics.concurrency.now !== 0) {
      world.fail(`permit: breaker ${name} counts ${metrics.concurrency.now} as running`);
    }
    if (heard === undefined || name.endsWith(']')) continue;
    const told = rejections(heard, name, 'circuitBreaker');
    if (told !== rejected) world.fail(`count: breaker ${name}: ${told} told, ${rejected} counted`);
    checkChanges(world, name, heard);
  }
}

function rejections(heard: readonly ResilienceEvent[], name: string, policy: string): number {
  return heard.filter(
    (event) =>
      event.type === 'rejected' &&
      event.name === name &&
      event.policy === policy &&
      event.observed !== true,
  ).length;
}

/** No more calls have ended than were admitted, as long as nothing has expired; checked in between. */
export function checkCounts(world: World): void {
  for (const { app } of world.apps) {
    for (const breaker of app.get(CircuitBreakerRegistry)) {
      if (!forgetsNothing(world, breaker.name)) continue;
      const { requests, successes, failures, ignored } = breaker.counts;
      if (successes + failures + ignored <= requests) continue;
      world.fail(
        `counts: breaker ${breaker.name}: ${successes + failures + ignored} of ${requests}`,
      );
    }
  }
}

/** Whether a breaker counts all calls of a generation, instead of recent ones. */
function forgetsNothing(world: World, name: string): boolean {
  const owners = world.subjects.filter(({ label, kind, policies: { circuitBreaker } }) => {
    const own = circuitBreaker?.name ?? (kind === 'method' ? `${label}.m` : label);
    return circuitBreaker !== undefined && own === name.replace(/\[.*\]$/, '');
  });
  const [options] = owners.map(({ policies }) => policies.circuitBreaker!);
  if (options === undefined) return false;
  const { resetInterval, window, failureRate, slowCallRate } = options;
  if (resetInterval !== undefined) return true;
  return window === undefined && failureRate === undefined && slowCallRate === undefined;
}

/** Each change begins where the one before has ended. */
function checkChanges(world: World, name: string, heard: readonly ResilienceEvent[]): void {
  let state = 'closed';
  for (const event of heard) {
    if (event.type !== 'state-change' || event.name !== name) continue;
    if (event.from !== state) {
      return world.fail(`order: breaker ${name} was ${state} and is told to leave ${event.from}`);
    }
    state = event.to;
  }
}

/** Calls of commands are counted, each once; only while nothing is too old to be seen. */
export function checkMetrics(world: World): void {
  world.apps.forEach(({ app }, number) => {
    for (const { name, snapshot } of commandsOf(app.get(ResilienceService))) {
      const { counts, concurrency } = snapshot;
      if (concurrency.now !== 0)
        world.fail(`metrics: ${name} counts ${concurrency.now} as running`);
      if (world.long || world.clock.now() > 8_000) continue;
      const { success, failure, timeout, ignored, rejected } = counts;
      const { circuitOpen, bulkheadFull, other } = rejected;
      const told = success + failure + timeout + ignored + circuitOpen + bulkheadFull + other;
      const made = world.ledger.filter(
        ({ subject, app: of }) => subject.label === name && of === number,
      ).length;
      if (told !== made) {
        world.fail(`metrics: ${name} counts ${told} of ${made} calls: ${JSON.stringify(counts)}`);
      }
    }
  });
}

function* commandsOf(service: ResilienceService): Iterable<{
  name: string;
  snapshot: { readonly counts: Counts; readonly concurrency: { readonly now: number } };
}> {
  for (const command of service.commands()) {
    yield { name: command.name, snapshot: command.snapshot().metrics };
  }
}

type Counts = ReturnType<
  ReturnType<ResilienceService['commands']> extends Iterable<infer View>
    ? View extends { snapshot(): { metrics: { counts: infer C } } }
      ? () => C
      : never
    : never
>;

/** Each run of a method has one attempt event. */
export function checkAttempts(world: World): void {
  if (!world.listens) return;
  const told = new Map<string, number>();
  for (const { heard = [] } of world.apps) {
    for (const event of heard) {
      if (event.type === 'attempt') told.set(event.name, (told.get(event.name) ?? 0) + 1);
    }
  }
  for (const family of familiesOf(world.subjects)) {
    const runs = family.reduce((sum, { index }) => sum + (world.runs.get(index) ?? 0), 0);
    const attempts = family.reduce((sum, { label, kind }) => {
      return sum + (told.get(kind === 'method' ? `${label}.m` : label) ?? 0);
    }, 0);
    const names = family.map(({ label }) => label).join(' and ');
    if (runs !== attempts) world.fail(`attempts: ${names}: ${runs} runs, ${attempts} told`);
  }
}

/** Classes that extend one another, together. */
function familiesOf(subjects: readonly SubjectPlan[]): SubjectPlan[][] {
  const families = new Map<number, SubjectPlan[]>();
  for (const subject of subjects) {
    const root = subject.parent ?? subject.index;
    families.set(root, [...(families.get(root) ?? []), subject]);
  }
  return [...families.values()];
}
