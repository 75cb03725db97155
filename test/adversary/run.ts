import { hostProcess } from '../support/process.js';
import { bootWorld } from './boot.js';
import { breathe } from './clock.js';
import { Dice } from './dice.js';
import { shown } from './hostile.js';
import { checkAttempts, checkCounts, checkEnds, checkMetrics } from './invariants.js';
import { watchLimits } from './limits.js';
import { checkFallbacks, checkRecovery } from './recovery.js';
import { closeAll, letFinish, operate, step } from './script.js';
import { World, type WorldSeed } from './world.js';

/** The result of one world. */
export interface WorldReport {
  readonly calls: number;
  readonly violations: readonly string[];
}

/** Errors of the process while a world runs. */
class ProcessWatch {
  private readonly seen: string[] = [];
  private readonly onRejection = (error: unknown): void => this.note('unhandled rejection', error);
  private readonly onException = (error: unknown): void => this.note('uncaught exception', error);
  private readonly onWarning = (warning: unknown): void => this.note('warning', warning);

  private note(what: string, error: unknown): void {
    this.seen.push(`process: ${what}: ${shown(error)}`);
  }

  begin(): void {
    hostProcess.on('unhandledRejection', this.onRejection);
    hostProcess.on('uncaughtException', this.onException);
    hostProcess.on('warning', this.onWarning);
  }

  end(): readonly string[] {
    hostProcess.off('unhandledRejection', this.onRejection);
    hostProcess.off('uncaughtException', this.onException);
    hostProcess.off('warning', this.onWarning);
    return this.seen;
  }
}

/** Runs a world from its beginning to the end of everything, and returns its violations. */
export async function runWorld(seed: WorldSeed): Promise<WorldReport> {
  const watch = new ProcessWatch();
  watch.begin();
  const world = new World(seed);
  const unwatch = watchLimits(world);
  try {
    await live(world, seed.steps);
  } catch (error) {
    world.fail(`crash: ${shown(error)} ${problemsOf(error)}`);
  }
  await closeAll(world);
  await breathe(3);
  unwatch();
  return { calls: world.ledger.length, violations: [...world.violations, ...watch.end()] };
}

async function live(world: World, steps: readonly number[]): Promise<void> {
  await bootWorld(world);
  const dice = new Dice(steps.length);
  world.mischief.meddle = () => operate(world, dice);
  for (const number of steps) {
    await step(world, number);
    if (number % 4 === 0) checkCounts(world);
  }
  if (world.abrupt) await closeAll(world);
  await letFinish(world, world.abrupt);
  world.mischief.meddle = () => {}; // reading notifies listeners of what time has changed, and they would begin calls
  if (world.abrupt) checkTimers(world);
  checkMetrics(world);
  checkEnds(world);
  if (world.ledger.some(({ settled }) => settled === 0)) return; // nothing further can come to its end
  await checkRecovery(world);
  await letFinish(world);
  if (world.tame) await checkFallbacks(world);
  await closeAll(world);
  await letFinish(world);
  checkEnds(world);
  checkAttempts(world);
  checkTimers(world);
}

/** To be called when everything has closed and ended. */
function checkTimers(world: World): void {
  if (world.timersLeft > 0) world.fail(`timer: ${world.timersLeft} are left`);
}

function problemsOf(error: unknown): string {
  const problems = (error as { problems?: readonly string[] } | undefined)?.problems;
  return problems?.join('; ') ?? (error instanceof Error ? (error.stack ?? '') : '');
}
