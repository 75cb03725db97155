// Stryker's test runner for this project: each mutant runs the tests that reach it, in one process, the nearest spec
// files first. A spec file is loaded anew for each mutant, so nothing of the mutant before is left.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { PluginKind, declareClassPlugin } from '@stryker-mutator/api/plugin';
import { DryRunStatus, MutantRunStatus, TestStatus } from '@stryker-mutator/api/test-runner';
import { Harness } from './harness.mjs';
import { nearestFirst, specFiles } from './specs.mjs';

/** A test that lasts so much longer while a mutant is active hangs. */
const timeoutOf = (ms) => 2_000 + 5 * ms;

/** A spec file that lasts so much longer while a mutant is active hangs for good. */
const lostAfter = (ms) => 10_000 + 5 * ms;

/** So long a mutant is looked for, unless it is to be looked for everywhere: it is found soon or seldom. */
const PATIENCE_MS = process.env.MUTATION_EVERYWHERE ? Infinity : 5_000;

/** Times of the dry run, for all processes: of each test, and of each spec file. */
const TIMES = 'spec-times.json';

class SpecRunner {
  #harness = new Harness(process.cwd());
  #instrumented = (globalThis.__stryker__ ??= {});
  #times;
  #watchdog = new Worker(new URL('watchdog.mjs', import.meta.url));
  /** The spec files that have found mutants of a source, the last one first. */
  #finders = new Map();
  /** Whether a mutant may have left something behind in this process. */
  #tainted = false;

  capabilities() {
    return { reloadEnvironment: true };
  }

  /** Runs all tests once. What a spec file does outside of its tests is noted under the name of the file. */
  async dryRun() {
    const coverage = { static: {}, perTest: {} };
    this.#instrumented.mutantCoverage = coverage;
    const tests = [];
    const times = {};
    const enter = (name) => (this.#instrumented.currentTestId = name);
    for (const file of specFiles(this.#harness.root)) {
      const started = performance.now();
      for (const { name, ms, error } of await this.#runInEarnest(file, enter)) {
        if (name !== file) times[name] = ms;
        const test = { id: name, name, fileName: file, timeSpentMs: ms };
        const failed = { status: TestStatus.Failed, failureMessage: error };
        tests.push({ ...test, ...(error ? failed : { status: TestStatus.Success }) });
      }
      times[file] = performance.now() - started;
    }
    this.#instrumented.mutantCoverage = undefined;
    this.#instrumented.currentTestId = undefined;
    writeFileSync(TIMES, JSON.stringify(times));
    return { status: DryRunStatus.Complete, tests, mutantCoverage: coverage };
  }

  /** Some tests look at the time that something takes, and sources that note what is reached take longer. */
  async #runInEarnest(file, enter) {
    for (let left = 3; ; left--) {
      const results = await this.#harness.run(file, { enter });
      if (left === 0 || results.every(({ error }) => error === undefined)) return results;
    }
  }

  async mutantRun({ testFilter, activeMutant, hitLimit, sandboxFileName }) {
    const mark = `lost-mutant-${activeMutant.id}`;
    if (existsSync(mark)) return { status: MutantRunStatus.Timeout, reason: 'blocked the process' };
    if (this.#tainted) throw new Error('needs a new process');
    const unsure = `unsure-mutant-${activeMutant.id}`;
    const tests = bySpec(testFilter);
    const source = this.#harness.nameOf(sandboxFileName);
    // Of the whole dry run, and this is for each spec file.
    const mostHits = hitLimit / 10;
    const started = performance.now();
    let nrOfTests = 0;
    for (const file of this.#inOrder([...tests.keys()], source)) {
      if (performance.now() - started > PATIENCE_MS) break;
      const names = tests.get(file);
      // Reached outside of its tests: any of them may notice.
      const only = names.includes(file) ? undefined : new Set(names);
      // Once more, in a new process: when it is of no use there either, other specs have to tell.
      const again = existsSync(unsure);
      if (again && !(await this.#passesWithout(file, only))) continue;
      this.#watchdog.postMessage({ ms: lostAfter(this.#msOf(file)), mark });
      const results = await this.#run(file, { only, activeMutant: activeMutant.id, mostHits });
      this.#watchdog.postMessage({});
      const { hitCount } = this.#instrumented;
      if (hitCount > mostHits) return { status: MutantRunStatus.Timeout, reason: 'goes on and on' };
      nrOfTests += results.length;
      const failed = results.find(({ error }) => error !== undefined);
      if (!failed) continue;
      if (again) {
        this.#tainted = true;
      } else if (!(await this.#passesWithout(file, new Set([failed.name]), only))) {
        writeFileSync(unsure, '');
        throw new Error(`"${failed.name}" fails without the mutant too`);
      }
      this.#finders.set(source, [...new Set([file, ...(this.#finders.get(source) ?? [])])]);
      const { name, error } = failed;
      return { status: MutantRunStatus.Killed, killedBy: [name], failureMessage: error, nrOfTests };
    }
    return { status: MutantRunStatus.Survived, nrOfTests };
  }

  dispose() {
    return this.#watchdog.terminate();
  }

  #inOrder(files, source) {
    const known = (this.#finders.get(source) ?? []).filter((file) => files.includes(file));
    const nearest = nearestFirst(files, source, this.#msOf);
    const [first] = nearest;
    return [...new Set([first, ...known.slice(0, 3), ...nearest])];
  }

  async #run(file, { only, activeMutant, mostHits }) {
    const instrumented = this.#instrumented;
    instrumented.activeMutant = activeMutant;
    instrumented.hitCount = mostHits === undefined ? undefined : 0;
    instrumented.hitLimit = mostHits;
    try {
      const timeout = (name) => timeoutOf(this.#msOf(name));
      return await this.#harness.run(file, { only, bail: true, timeout });
    } finally {
      instrumented.activeMutant = undefined;
    }
  }

  /** A test that fails without the mutant too has failed of something else, or the mutant has left something behind. */
  async #passesWithout(file, ...selections) {
    for (const only of selections) {
      const results = await this.#run(file, { only });
      if (results.every(({ error }) => error === undefined)) return true;
    }
    return false;
  }

  #msOf = (name) => {
    this.#times ??= JSON.parse(readFileSync(TIMES, 'utf8'));
    return this.#times[name] ?? 0;
  };
}

function bySpec(names) {
  const groups = new Map();
  for (const name of names) {
    const [file] = name.split(': ', 1);
    const group = groups.get(file) ?? [];
    groups.set(file, group);
    group.push(name);
  }
  return groups;
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'specs', SpecRunner)];
